"""From products to DRAM commands, instruction words and bank contents."""
