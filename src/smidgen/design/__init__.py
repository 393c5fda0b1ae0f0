"""What a design costs and what is wrong with it, before any compute is spent. No torch."""

from smidgen.callable_package import make_callable

make_callable(__name__)
