#include "services/upstream/login/realm_rule.h"

#include <libpsl.h>

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/core/host_name.h"
#include "services/upstream/names/upstream_host.h"

namespace entrepot::upstream {
namespace {

// Domains below which each customer of a cloud has names, and which the list of public suffixes lacks in whole or in
// part.
constexpr std::array kSharedDomains = {
    absl::string_view("aliyuncs.com"), absl::string_view("amazonaws.com"),      absl::string_view("amazonaws.com.cn"),
    absl::string_view("azure.com"),    absl::string_view("azurecr.cn"),         absl::string_view("azurecr.io"),
    absl::string_view("azurecr.us"),   absl::string_view("jfrog.io"),           absl::string_view("myhuaweicloud.com"),
    absl::string_view("pkg.dev"),      absl::string_view("tencentcloudcr.com"), absl::string_view("windows.net"),
};

// Registries whose token service has another domain of the same owner.
struct KnownRealm {
  absl::string_view upstream_host;
  absl::string_view realm_host;
};
constexpr std::array kKnownRealms = {
    KnownRealm{"nvcr.io", "authn.nvidia.com"},
    KnownRealm{"registry.redhat.io", "sso.redhat.com"},
};

bool IsSharedDomain(absl::string_view host) {
  return std::any_of(kSharedDomains.begin(), kSharedDomains.end(), [&](absl::string_view domain) {
    return host == domain || absl::EndsWith(host, absl::StrCat(".", domain));
  });
}

bool IsLowerCaseAscii(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return absl::ascii_islower(byte) || absl::ascii_isdigit(byte) || c == '.' || c == '-' || c == '_';
  });
}

bool IsIpAddress(absl::string_view host) {
  return absl::StrContains(host, ':') || host.find_first_not_of("0123456789.") == absl::string_view::npos;
}

bool IsAt(const outbound::Url& url, absl::string_view host_text) {
  const std::optional<UpstreamHost> host = ParseUpstreamHost(host_text);
  if (!host.has_value() || !IsSameHost(HostOf(url.host), host->host)) return false;
  return host->port == 0 || absl::EndsWith(url.Origin(), absl::StrCat(":", host->port));
}

}  // namespace

std::optional<std::string> RegistrableDomain(absl::string_view host) {
  if (host.empty() || IsIpAddress(host) || !IsLowerCaseAscii(host)) return std::nullopt;
  const std::string name(host);
  const char* domain = psl_registrable_domain(psl_builtin(), name.c_str());
  if (domain == nullptr) return std::nullopt;
  return std::string(domain);
}

RealmRule::Use RealmRule::For(const outbound::Url& realm) const {
  const bool https = realm.scheme == "https";
  if (!https && !(realm.scheme == "http" && upstream_.scheme == "http")) return Use::kRefused;
  if (realm.has_user) return Use::kRefused;
  return MayHaveCredentials(realm) ? Use::kCredentials : Use::kAnonymous;
}

bool RealmRule::MayHaveCredentials(const outbound::Url& realm) const {
  if (realm.host == upstream_.host) return true;
  for (const std::string& host : realm_hosts_) {
    if (IsAt(realm, host)) return true;
  }
  for (const KnownRealm& known : kKnownRealms) {
    if (known.upstream_host == upstream_.host && known.realm_host == realm.host) return true;
  }
  if (IsSharedDomain(upstream_.host) || IsSharedDomain(realm.host)) return false;
  const std::optional<std::string> own = RegistrableDomain(upstream_.host);
  return own.has_value() && own == RegistrableDomain(realm.host);
}

}  // namespace entrepot::upstream
