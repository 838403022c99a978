#include "services/ctl/client/http_client.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "services/outbound/http_client.h"
#include "services/runtime/version.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {

absl::StatusOr<HttpAnswer> OutboundHttpClient::Send(const HttpRequest& request) {
  outbound::HttpClientOptions options;
  options.user_agent = absl::StrCat("entrepotctl/", runtime::kVersion);
  options.ca_file = request.ca_file;
  options.connect_timeout = absl::Seconds(10);
  // Deleting a large repository is one long request.
  options.timeout = absl::Minutes(2);
  // The registry's own answers are far smaller.
  options.body_bytes_max = 64 * 1024 * 1024;

  outbound::HttpRequest sent{.method = request.method,
                             .url = request.url,
                             .body = request.body,
                             .username = request.username,
                             .password = request.password};
  if (!request.token.empty()) sent.headers.emplace_back("Authorization", absl::StrCat("Bearer ", request.token));
  if (!request.body.empty()) sent.headers.emplace_back("Content-Type", "application/json");
  ASSIGN_OR_RETURN(outbound::HttpResponse response, outbound::HttpClient::Create(std::move(options))->Send(sent));
  return HttpAnswer{.status = response.status, .body = std::move(response.body)};
}

}  // namespace entrepot::ctl
