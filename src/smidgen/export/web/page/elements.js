// Elements of the page. Text is always set as text: nothing a model writes is ever read as HTML.

// An element with attributes; `class`, `text`, `on…` functions and children as they are meant.
export function element(name, { text, ...attributes } = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (typeof value === "function") made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  if (text !== undefined) made.textContent = text;
  made.append(...children);
  return made;
}

export function byId(id) {
  return document.getElementById(id);
}
