"""What a crossbar's physics does to values and costs: cells, converters, wires, energy, area, wear."""
