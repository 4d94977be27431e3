"""What the benches of DRAM PIM channels share: driver, player, checker, random streams, the network's phases."""
