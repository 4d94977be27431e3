"""What enters an iteration. A policy says whether prompts are cut (`chunked`), whether they run beside decoding
sequences
(`mixes`), and which part of a prompt is taken (`part`)."""
