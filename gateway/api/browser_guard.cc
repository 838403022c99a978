#include "gateway/api/browser_guard.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/core/host_name.h"
#include "services/status/oci_error.h"
#include "services/status/quoted_input.h"

namespace entrepot::gateway::api {
namespace {

// What follows "://", without a slash at the end; "" without it.
absl::string_view AuthorityOf(absl::string_view url) {
  const size_t colon = url.find("://");
  return colon == absl::string_view::npos ? "" : absl::StripSuffix(url.substr(colon + 3), "/");
}

}  // namespace

BrowserGuard::BrowserGuard(const config::v1::PublicEndpoint& listen, bool has_accounts)
    : external_authority_(AuthorityOf(listen.external_url())),
      checks_hosts_(!listen.names().empty() || (!has_accounts && IsLoopbackHost(listen.address()))),
      hosts_(listen.names().begin(), listen.names().end()) {
  if (!external_authority_.empty()) hosts_.emplace_back(HostOf(external_authority_));
}

absl::Status BrowserGuard::CheckHost(const http::Request& request) const {
  if (!checks_hosts_) return absl::OkStatus();
  const absl::string_view field = request.Find("Host").value_or("");
  const absl::string_view host = HostOf(field);
  const auto is_host = [host](const std::string& known) { return IsSameHost(known, host); };
  if (field.empty() || IsLoopbackHost(host) || std::any_of(hosts_.begin(), hosts_.end(), is_host)) {
    return absl::OkStatus();
  }
  return OciError(OciErrorCode::kDenied,
                  absl::StrCat("this registry does not answer to the host ", QuotedInput(host),
                               "; if clients reach it by this name, add the name to listen.names"));
}

absl::Status BrowserGuard::CheckOrigin(const http::Request& request) const {
  for (const http::Request::Field& field : request.fields) {
    if (absl::EqualsIgnoreCase(field.name, "Origin")) {
      if (IsOwnOrigin(field.value, request)) continue;
      return OciError(OciErrorCode::kDenied, absl::StrCat("web pages of another origin may not change anything here; "
                                                          "the request's Origin is ",
                                                          QuotedInput(field.value)));
    }
    // "none": the user's own action, such as an address that was typed.
    if (absl::EqualsIgnoreCase(field.name, "Sec-Fetch-Site") && field.value != "same-origin" && field.value != "none") {
      return OciError(OciErrorCode::kDenied, absl::StrCat("web pages of another origin may not change anything here; "
                                                          "the request's Sec-Fetch-Site is ",
                                                          QuotedInput(field.value)));
    }
  }
  return absl::OkStatus();
}

bool BrowserGuard::IsOwnOrigin(absl::string_view origin, const http::Request& request) const {
  const bool is_https = absl::StartsWithIgnoreCase(origin, "https://");
  if (!is_https && !absl::StartsWithIgnoreCase(origin, "http://")) return false;
  // Whoever controls the network may have written a page of http.
  if (request.is_tls && !is_https) return false;
  const absl::string_view default_port = is_https ? ":443" : ":80";
  const auto normal = [default_port](absl::string_view authority) {
    return absl::StripSuffix(authority, default_port);
  };
  const absl::string_view authority = normal(AuthorityOf(origin));
  if (authority.empty()) return false;
  return absl::EqualsIgnoreCase(authority, normal(request.Find("Host").value_or(""))) ||
         absl::EqualsIgnoreCase(authority, normal(external_authority_));
}

}  // namespace entrepot::gateway::api
