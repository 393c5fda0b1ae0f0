"""Our own C++, compiled on the machine that runs it."""
