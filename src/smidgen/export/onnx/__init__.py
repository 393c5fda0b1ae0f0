"""One file ``model.onnx`` for any runtime of ONNX, with the whole decoder in it: cache and digit features too."""
