#include "services/upstream/client/registry_client.h"

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "services/core/ip_network.h"
#include "services/core/public_address.h"
#include "services/runtime/version.h"
#include "services/upstream/registry/upstream_error.h"

namespace entrepot::upstream {
namespace {

constexpr uint32_t kConnectionsMax = 16;

}  // namespace

outbound::HopOptions HopOptionsOf(const config::v1::Upstream& entry, bool is_own) {
  outbound::HopOptions options;
  options.user_agent = absl::StrCat("entrepot/", runtime::kVersion);
  options.ca_file = entry.ca_file();
  if (is_own) {
    options.client_certificate_file = entry.client_certificate_file();
    options.client_key_file = entry.client_key_file();
  }
  if (entry.allow_private_addresses()) return options;
  options.check_address = [name = entry.name()](absl::string_view text) {
    const auto address = IpAddress::Parse(text);
    absl::Status status = address.has_value() ? CheckPublicAddress(*address)
                                              : absl::InvalidArgumentError(absl::StrCat(text, " is not an address"));
    if (status.ok()) return status;
    return UpstreamError(UpstreamFailure::kUnavailable,
                         absl::StrCat(name, ": ", status.message(), " (allow_private_addresses)"));
  };
  return options;
}

RegistryClient::RegistryClient(const config::v1::Upstream& entry, const outbound::Url& url, const Clock* clock,
                               const std::shared_ptr<prometheus::Registry>& registry, const MakeHop& make_hop)
    : name_(entry.name()),
      base_(absl::StrCat(absl::StripSuffix(entry.url(), "/"), "/v2/")),
      metrics_(registry, name_),
      budget_(entry.connections_max() != 0 ? entry.connections_max() : kConnectionsMax),
      pace_(clock),
      credentials_(entry.credentials(), CredentialHelperServer(entry), clock, &stop_),
      refused_(clock),
      realms_(url, {entry.realm_hosts().begin(), entry.realm_hosts().end()}),
      follower_{name_, url.Origin(), make_hop(HopOptionsOf(entry, /*is_own=*/true)),
                entry.client_certificate_file().empty() ? nullptr : make_hop(HopOptionsOf(entry, /*is_own=*/false))},
      tokens_({.upstream = name_,
               .follower = &follower_,
               .realms = &realms_,
               .credentials = &credentials_,
               .refused = &refused_,
               .metrics = &metrics_,
               .clock = clock}),
      authorization_({.upstream = name_,
                      .own_origin = url.Origin(),
                      .tokens = &tokens_,
                      .credentials = &credentials_,
                      .refused = &refused_,
                      .clock = clock}),
      requests_({.upstream = name_,
                 .own_origin = url.Origin(),
                 .follower = &follower_,
                 .authorization = &authorization_,
                 .budget = &budget_,
                 .pace = &pace_,
                 .metrics = &metrics_,
                 .stop = &stop_,
                 .clock = clock}) {}

void RegistryClient::Stop() {
  stop_.Stop();
  budget_.Stop();
  follower_.Stop();
}

}  // namespace entrepot::upstream
