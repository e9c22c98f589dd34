"""What methods learn while a run goes: modules that ``side_loss`` trains. Imported when a method begins."""
