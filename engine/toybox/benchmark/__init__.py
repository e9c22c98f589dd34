"""The parts of the benchmark: metrics, prompts, the making and the judging of assets, tables and sheets."""
