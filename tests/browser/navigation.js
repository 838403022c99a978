// Opens a blob as the whole page. A page that is left reports nothing; if the blob is only downloaded, this one stays.
setTimeout(() => fetch(target.home + "/report", {method: "POST", body: JSON.stringify({stays: "yes"})}), 3000);
location = `${target.registry}/v2/${target.repository}/blobs/${target.blobs.page}`;
