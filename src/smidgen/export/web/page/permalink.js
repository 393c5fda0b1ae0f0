// Prompt, settings and seed in the part of the address that is never sent to a server.

// What the address says: strings by name, empty where it says nothing or is no such address.
export function readLink() {
  return Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
}

export function writeLink(values) {
  const address = new URL(location.href);
  address.hash = new URLSearchParams(Object.entries(values)).toString();
  history.replaceState(null, "", address);
  return address.href;
}
