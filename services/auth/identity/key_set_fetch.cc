#include "services/auth/identity/key_set_fetch.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/outbound/http_client.h"
#include "services/policy/key_set_url.h"
#include "services/runtime/version.h"
#include "services/status/status_macros.h"

namespace entrepot::auth {

absl::StatusOr<std::string> FetchKeySet(const std::string& url, const std::string& ca_file) {
  outbound::HttpClientOptions options;
  options.user_agent = absl::StrCat("entrepot/", runtime::kVersion);
  options.ca_file = ca_file;
  options.connect_timeout = absl::Seconds(3);
  options.timeout = absl::Seconds(5);
  options.body_bytes_max = 256 * 1024;
  // http is only allowed for loopback addresses, which no proxy can reach.
  options.use_proxy = absl::StartsWith(url, "https:");
  RETURN_IF_ERROR(policy::CheckKeySetUrl(url));
  ASSIGN_OR_RETURN(outbound::HttpResponse response,
                   outbound::HttpClient::Create(std::move(options))->Send({.url = url}));
  if (response.status != 200) {
    return absl::UnavailableError(absl::StrCat(url, " answers ", response.status, ", not 200"));
  }
  return std::move(response.body);
}

}  // namespace entrepot::auth
