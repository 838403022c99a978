#include "services/ctl/client/http_client.h"

#include <cstddef>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "services/runtime/version.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

// The registry's own answers are far smaller.
constexpr size_t kBodyBytesMax = 64 << 20;
// Deleting a large repository is one long request.
constexpr absl::Duration kTimeout = absl::Minutes(2);

outbound::HopRequest HopRequestOf(const HttpRequest& request) {
  outbound::HopRequest sent{
      .method = request.method, .url = request.url, .headers = request.headers, .body = request.body};
  if (!request.username.empty()) {
    sent.headers.emplace_back(
        "Authorization",
        absl::StrCat("Basic ", absl::Base64Escape(absl::StrCat(request.username, ":", request.password))));
  }
  if (!request.token.empty()) sent.headers.emplace_back("Authorization", absl::StrCat("Bearer ", request.token));
  if (!request.body.empty()) sent.headers.emplace_back("Content-Type", request.content_type);
  sent.timeout = request.on_bytes ? absl::InfiniteDuration() : kTimeout;
  return sent;
}

}  // namespace

absl::string_view HttpAnswer::Field(absl::string_view name) const {
  for (const auto& [field, value] : fields) {
    if (field == name) return value;
  }
  return "";
}

absl::StatusOr<HttpAnswer> OutboundHttpClient::Send(const HttpRequest& request) {
  if (hop_ == nullptr || request.ca_file != ca_file_) {
    hop_ = outbound::HttpHop::Create({.user_agent = absl::StrCat("entrepotctl/", runtime::kVersion),
                                      .ca_file = request.ca_file,
                                      .trusts_system_too = false,
                                      .stall_timeout = kTimeout});
    ca_file_ = request.ca_file;
  }
  HttpAnswer answer;
  outbound::HopSink sink;
  sink.on_head = [&](const outbound::HopHead& head) {
    answer.status = head.status;
    return absl::OkStatus();
  };
  sink.on_bytes = [&](absl::string_view bytes) {
    if (request.on_bytes && answer.status == request.on_bytes_status) return request.on_bytes(bytes);
    if (answer.body.size() + bytes.size() > kBodyBytesMax) {
      return absl::UnavailableError(absl::StrCat("the answer is larger than ", kBodyBytesMax, " bytes"));
    }
    answer.body.append(bytes.data(), bytes.size());
    return absl::OkStatus();
  };
  ASSIGN_OR_RETURN(outbound::HopHead head, hop_->Send(HopRequestOf(request), sink));
  answer.fields = std::move(head.fields);
  return answer;
}

}  // namespace entrepot::ctl
