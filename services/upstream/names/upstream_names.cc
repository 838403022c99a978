#include "services/upstream/names/upstream_names.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/core/text/host_and_port.h"
#include "services/status/oci_error.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"
#include "services/upstream/names/docker_hub.h"
#include "services/upstream/names/upstream_host.h"
#include "services/upstream/names/upstream_url.h"

namespace entrepot::upstream {
namespace {

absl::string_view FirstComponent(absl::string_view path) { return path.substr(0, path.find('/')); }

// What follows the first component and its "/"; empty if nothing does.
absl::string_view AfterFirstComponent(absl::string_view path) {
  const size_t slash = path.find('/');
  return slash == absl::string_view::npos ? absl::string_view() : path.substr(slash + 1);
}

absl::Status NameUnknown(absl::string_view message) { return OciError(OciErrorCode::kNameUnknown, message); }

// The host of the URL as clients write it; nullopt if the URL is not valid.
std::optional<std::string> HostOfUrl(absl::string_view text) {
  const absl::StatusOr<UpstreamUrl> url = ParseUpstreamUrl(text);
  if (!url.ok()) return std::nullopt;
  const bool has_scheme_port = url->port == (url->https ? 443 : 80);
  return has_scheme_port ? url->host : HostAndPort(url->host, url->port);
}

}  // namespace

UpstreamNames::UpstreamNames(const config::v1::Upstreams& file) {
  for (const config::v1::Upstream& entry : file.upstreams()) {
    const size_t index = upstreams_.size();
    Upstream& upstream = upstreams_.emplace_back();
    upstream.name = entry.name();
    upstream.is_docker_hub = IsDockerHub(entry);
    for (const std::string& pattern : entry.repositories()) {
      upstream.allowed.push_back(policy::RepositoryPattern::Parse(pattern).value());
    }
    by_name_.emplace(entry.name(), index);
    for (const std::string& alias : entry.aliases()) by_name_.emplace(FoldHost(alias).value(), index);
    if (entry.name() == file.default_upstream()) default_ = index;
  }
  by_host_ = by_name_;
  ByHost hosts_of_urls;
  for (size_t index = 0; index < upstreams_.size(); ++index) {
    const std::optional<std::string> host = HostOfUrl(file.upstreams(static_cast<int>(index)).url());
    if (!host.has_value()) continue;
    const auto [other, added] = hosts_of_urls.emplace(*host, index);
    // Two entries with one host: the host names neither.
    if (!added) other->second = upstreams_.size();
  }
  for (const auto& [host, index] : hosts_of_urls) {
    if (index < upstreams_.size()) by_host_.emplace(host, index);
  }
}

absl::StatusOr<std::optional<CachedRepository>> UpstreamNames::ByPath(const RepositoryName& path) const {
  const std::optional<size_t> index = OfFirstComponent(path);
  if (!index.has_value()) return std::nullopt;
  const absl::string_view rest = AfterFirstComponent(path.ToString());
  if (rest.empty()) {
    return NameUnknown(
        absl::StrCat(QuotedInput(path.ToString()), " is an upstream: the name of one of its repositories must follow"));
  }
  return Repository(upstreams_[*index], rest);
}

absl::StatusOr<CachedRepository> UpstreamNames::ByNamespace(const RepositoryName& path, absl::string_view ns) const {
  const std::optional<std::string> host = FoldHost(ns);
  const auto found = host.has_value() ? by_host_.find(*host) : by_host_.end();
  if (found == by_host_.end()) return NameUnknown(absl::StrCat("there is no upstream ", QuotedInput(ns)));
  const size_t index = found->second;
  const absl::string_view rest = AfterFirstComponent(path.ToString());
  const bool is_prefixed = !rest.empty() && OfFirstComponent(path) == index;
  return Repository(upstreams_[index], is_prefixed ? rest : absl::string_view(path.ToString()));
}

absl::StatusOr<std::optional<CachedRepository>> UpstreamNames::OfDefault(const RepositoryName& path) const {
  if (!default_.has_value()) return std::nullopt;
  const absl::string_view rest = AfterFirstComponent(path.ToString());
  const std::optional<size_t> prefix = rest.empty() ? std::nullopt : OfFirstComponent(path);
  if (prefix.has_value() && prefix != default_) return std::nullopt;
  return Repository(upstreams_[*default_], prefix.has_value() ? rest : absl::string_view(path.ToString()));
}

std::optional<size_t> UpstreamNames::OfFirstComponent(const RepositoryName& path) const {
  const auto found = by_name_.find(FirstComponent(path.ToString()));
  if (found == by_name_.end()) return std::nullopt;
  return found->second;
}

absl::StatusOr<CachedRepository> UpstreamNames::Repository(const Upstream& upstream, absl::string_view path) const {
  std::string name = upstream.is_docker_hub ? NameAtDockerHub(path) : std::string(path);
  const bool allowed = upstream.allowed.empty() ||
                       std::any_of(upstream.allowed.begin(), upstream.allowed.end(),
                                   [&](const policy::RepositoryPattern& pattern) { return pattern.Matches(name); });
  if (!allowed) {
    return NameUnknown(absl::StrCat("the upstreams file does not allow repositories of the upstream ", upstream.name,
                                    " with the name ", QuotedInput(name)));
  }
  absl::StatusOr<RepositoryName> repository = RepositoryName::Parse(absl::StrCat(upstream.name, "/", name));
  if (!repository.ok()) return NameUnknown(repository.status().message());
  return CachedRepository{
      .upstream = upstream.name, .repository = *std::move(repository), .name_at_upstream = std::move(name)};
}

}  // namespace entrepot::upstream
