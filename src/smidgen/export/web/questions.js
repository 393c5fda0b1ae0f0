async ({ texts, token_ids, positions, settings }) => {
  const at = (name) => new URL(`page/${name}.js`, location.href).href;
  const { openModel, readDescription } = await import(at("model"));
  const { WorkerEngine } = await import(at("engine"));
  const { models } = await (await fetch("models.json")).json();
  const address = new URL(models[0].address, location.href).href;
  const { tokenizer, decoder } = await openModel(await readDescription(address), address);
  const engine = new WorkerEngine(address);
  await engine.load();
  const asBase64 = (numbers) => {
    const bytes = new Uint8Array(numbers.buffer);
    let text = "";
    for (let i = 0; i < bytes.length; i += 4096) text += String.fromCharCode(...bytes.subarray(i, i + 4096));
    return btoa(text);
  };
  const logitsOf = (ids) => {
    const first = Math.max(0, ids.length - positions);
    const size = decoder.config.vocab_size;
    const all = new Float32Array((ids.length - first) * size);
    decoder.rewind(0);
    decoder.read(ids, (position, logits) => position >= first && all.set(logits, (position - first) * size));
    return { ids, first, logits: asBase64(all) };
  };
  const answers = token_ids.map(logitsOf);
  for (const text of texts) {
    const ids = tokenizer.encode(text);
    const written = [];
    await engine.complete({ text }, settings, 0, { begin() {}, token: ({ token }) => written.push(token.id) });
    const last = logitsOf(ids.slice(-decoder.config.context_length));
    answers.push({ ...last, text, all: ids, decoded: tokenizer.decode(ids), written });
  }
  return answers;
}
