#include "services/upstream/names/upstreams_defaults.h"

#include <cstdint>
#include <optional>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/duration.pb.h"
#include "services/core/host_name.h"
#include "services/core/ip_network.h"
#include "services/core/public_address.h"
#include "services/upstream/names/docker_hub.h"
#include "services/upstream/names/upstream_host.h"
#include "services/upstream/names/upstream_url.h"

namespace entrepot::upstream {
namespace {

using config::v1::Upstream;
using config::v1::Upstreams;

google::protobuf::Duration Seconds(int64_t seconds) {
  google::protobuf::Duration duration;
  duration.set_seconds(seconds);
  return duration;
}

void Fold(std::string* host) {
  if (std::optional<std::string> folded = FoldHost(*host); folded.has_value()) *host = *std::move(folded);
}

// Adds the other names of Docker Hub, unless the file gives them to an upstream.
void AddHubAliases(Upstreams* file) {
  absl::flat_hash_set<std::string> given;
  Upstream* hub = nullptr;
  for (Upstream& upstream : *file->mutable_upstreams()) {
    if (upstream.name() == kHubName) hub = &upstream;
    given.insert(upstream.name());
    given.insert(upstream.aliases().begin(), upstream.aliases().end());
  }
  if (hub == nullptr) return;
  for (const absl::string_view alias : kHubAliases) {
    if (!given.contains(alias)) hub->add_aliases(std::string(alias));
  }
}

bool IsPrivateHost(const std::string& host) {
  if (IsLoopbackHost(host)) return true;
  const std::optional<IpAddress> address = IpAddress::Parse(host);
  return address.has_value() && !CheckPublicAddress(*address).ok();
}

std::string DefaultUrl(const std::string& name) {
  if (name == kHubName) return absl::StrCat("https://", kHubAliases[0]);
  const bool is_host = absl::StrContains(name, '.') && FoldHost(name) == name;
  return is_host ? absl::StrCat("https://", name) : "";
}

void FillUrl(Upstream* upstream) {
  if (upstream->url().empty()) upstream->set_url(DefaultUrl(upstream->name()));
  const absl::StatusOr<UpstreamUrl> url = ParseUpstreamUrl(upstream->url());
  if (!url.ok()) return;
  upstream->set_url(url->ToString());
  if (!upstream->has_allow_private_addresses()) upstream->set_allow_private_addresses(IsPrivateHost(url->host));
}

void FillUpstream(Upstream* upstream) {
  FillUrl(upstream);
  for (std::string& host : *upstream->mutable_realm_hosts()) Fold(&host);
  if (!upstream->has_tag_ttl()) *upstream->mutable_tag_ttl() = Seconds(5 * 60);
  if (!upstream->has_stale_while_revalidate()) *upstream->mutable_stale_while_revalidate() = Seconds(0);
  if (!upstream->has_negative_ttl()) *upstream->mutable_negative_ttl() = Seconds(20);
  if (upstream->connections_max() == 0) upstream->set_connections_max(16);
  if (upstream->has_credentials() && !upstream->credentials().has_helper_lifetime()) {
    *upstream->mutable_credentials()->mutable_helper_lifetime() = Seconds(60 * 60);
  }
  for (config::v1::WarmTags& warm : *upstream->mutable_warm()) {
    if (!warm.has_interval()) *warm.mutable_interval() = Seconds(60 * 60);
  }
  if (!IsDockerHub(*upstream)) return;
  for (config::v1::WarmTags& warm : *upstream->mutable_warm()) {
    if (!warm.repository().empty()) warm.set_repository(NameAtDockerHub(warm.repository()));
  }
  for (config::v1::PinnedTag& pin : *upstream->mutable_pins()) {
    if (!pin.repository().empty()) pin.set_repository(NameAtDockerHub(pin.repository()));
  }
}

}  // namespace

void FillDefaults(Upstreams* file) {
  for (Upstream& upstream : *file->mutable_upstreams()) {
    for (std::string& alias : *upstream.mutable_aliases()) Fold(&alias);
  }
  AddHubAliases(file);
  for (Upstream& upstream : *file->mutable_upstreams()) FillUpstream(&upstream);
}

}  // namespace entrepot::upstream
