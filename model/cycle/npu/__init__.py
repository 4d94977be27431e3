"""When things happen on the NPU core: closed forms and stepped models."""
