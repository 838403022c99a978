#include "gateway/api/request/error_response.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "boost/json/array.hpp"
#include "boost/json/object.hpp"
#include "boost/json/serialize.hpp"
#include "boost/json/string_view.hpp"
#include "services/runtime/log/json_log.h"

namespace entrepot::gateway::api {
namespace {

constexpr absl::string_view kRetryAfterSeconds = "1";
constexpr absl::string_view kHttpStatusUrl = "entrepot/http-status";

// Boost.JSON does not take Abseil's string_view.
boost::json::string_view JsonText(absl::string_view text) { return {text.data(), text.size()}; }

http::Response MakeResponse(int http_status, OciErrorCode code, absl::string_view message, absl::string_view detail) {
  boost::json::object error;
  error["code"] = JsonText(GetOciErrorInfo(code).name);
  error["message"] = JsonText(message);
  if (!detail.empty()) error["detail"] = JsonText(detail);
  boost::json::object body;
  body["errors"] = boost::json::array{std::move(error)};

  http::Response response;
  response.status = http_status;
  response.fields.emplace_back("Content-Type", "application/json");
  if (http_status == 503 || http_status == 429) response.fields.emplace_back("Retry-After", kRetryAfterSeconds);
  response.body = boost::json::serialize(body);
  return response;
}

// The OCI code for a status without one.
OciErrorCode CodeOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kCancelled:
      return OciErrorCode::kUnavailable;
    case absl::StatusCode::kInvalidArgument:
      return OciErrorCode::kNameInvalid;
    case absl::StatusCode::kNotFound:
      return OciErrorCode::kNameUnknown;
    case absl::StatusCode::kOutOfRange:
      return OciErrorCode::kRangeInvalid;
    case absl::StatusCode::kResourceExhausted:
      return OciErrorCode::kTooManyRequests;
    default:
      return OciErrorCode::kUnknown;
  }
}

void LogFailure(const absl::Status& status, absl::string_view request_id) {
  runtime::Log(runtime::LogLevel::kError, "request failed",
               {{"request_id", request_id},
                {"code", absl::StatusCodeToString(status.code())},
                {"reason", absl::string_view(status.message())}});
}

// The HTTP status that HttpError() stored; 0 if the status is not from there.
int NotedHttpStatus(const absl::Status& status) {
  const auto payload = status.GetPayload(kHttpStatusUrl);
  int http_status = 0;
  return payload.has_value() && absl::SimpleAtoi(std::string(*payload), &http_status) ? http_status : 0;
}

// The OCI code for any status.
OciErrorCode CodeOf(const absl::Status& status) {
  const std::optional<OciErrorCode> carried = GetOciErrorCode(status);
  return carried.has_value() ? *carried : CodeOf(status.code());
}

}  // namespace

absl::Status HttpError(int http_status, OciErrorCode code, absl::string_view message) {
  absl::Status status = OciError(code, message);
  status.SetPayload(kHttpStatusUrl, absl::Cord(absl::StrCat(http_status)));
  return status;
}

http::Response ErrorResponse(const absl::Status& status, absl::string_view request_id) {
  const OciErrorCode code = CodeOf(status);
  const int noted = NotedHttpStatus(status);
  const int http_status = noted != 0 ? noted : GetOciErrorInfo(code).http_status;
  // Messages of HttpError() are for the client, those of 501 and 505 too. Other server errors are not shown.
  if (http_status < 500 || noted != 0) {
    return MakeResponse(http_status, code, status.message(), GetOciErrorDetail(status));
  }
  LogFailure(status, request_id);
  if (http_status != 503) {
    return MakeResponse(http_status, code,
                        "internal error; the registry's log has the reason under the id of this request", "");
  }
  // The message of such an error is for the log. Its detail, if it has one, is the cause in words for the client.
  const std::string cause(GetOciErrorDetail(status));
  return MakeResponse(http_status, code, cause.empty() ? "the registry is temporarily unavailable; try again" : cause,
                      "");
}

}  // namespace entrepot::gateway::api
