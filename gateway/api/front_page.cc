#include "gateway/api/front_page.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gateway/api/auth/auth_challenge.h"
#include "services/runtime/version.h"

namespace entrepot::gateway::api {
namespace {

constexpr absl::string_view kPage = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Entrepot</title>
</head>
<body>
<h1>Entrepot</h1>
<p>This is a registry of container images and other OCI artifacts, version $version.
Use it with docker, podman and other clients. In a browser it has only this page.</p>
<h2>A first push</h2>
<pre>
$commands
</pre>
<h2>Documentation</h2>
<ul>
<li>of this registry: the directory <code>docs</code> of Entrepot's source</li>
<li>of <a href="https://docs.docker.com/reference/cli/docker/image/push/">docker push</a></li>
<li>of the <a href="https://github.com/opencontainers/distribution-spec/blob/main/spec.md">protocol</a></li>
</ul>
</body>
</html>
)";

std::string Commands(absl::string_view host, bool has_accounts) {
  return absl::StrCat(has_accounts ? absl::StrCat("docker login ", host, "\n") : "", "docker pull hello-world\n",
                      "docker tag hello-world ", host, "/hello-world\n", "docker push ", host, "/hello-world");
}

// Whether the text is a host with an optional port that means the same in HTML and in a shell.
bool IsPlain(absl::string_view authority) {
  return std::all_of(authority.begin(), authority.end(),
                     [](char c) { return absl::ascii_isalnum(c) || absl::StrContains("-._:[]", c); });
}

// The host with its port, by which clients reach the registry.
std::string RegistryHost(absl::string_view external_url, const http::Request& request) {
  const std::string url = BaseUrl(external_url, request);
  const std::string authority = url.substr(url.find("://") + 3);
  return IsPlain(authority) ? authority : "localhost";
}

}  // namespace

FrontPage::FrontPage(absl::string_view external_url, bool has_accounts)
    : external_url_(external_url), has_accounts_(has_accounts) {}

HandlerResult FrontPage::Handle(http::Request& request, const CallContext&) const {
  http::Response response;
  response.fields.emplace_back("Content-Type", "text/html; charset=utf-8");
  response.body = absl::StrReplaceAll(
      kPage,
      {{"$version", runtime::kVersion}, {"$commands", Commands(RegistryHost(external_url_, request), has_accounts_)}});
  co_return response;
}

}  // namespace entrepot::gateway::api
