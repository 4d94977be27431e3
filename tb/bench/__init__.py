"""What every testbench needs: clock, streams, protocol rules, scoreboard, build, run, waves."""
