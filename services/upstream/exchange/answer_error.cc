#include "services/upstream/exchange/answer_error.h"

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "boost/json/value.hpp"
#include "services/core/text/strict_json.h"
#include "services/outbound/url.h"
#include "services/status/quoted_input.h"
#include "services/upstream/exchange/rate_limit_headers.h"
#include "services/upstream/registry/upstream_error.h"

namespace entrepot::upstream {
namespace {

UpstreamFailure FailureOfStatus(int status) {
  switch (status) {
    case 404:
    case 410:
      return UpstreamFailure::kNotFound;
    case 401:
    case 403:
    case 451:
      return UpstreamFailure::kDenied;
    case 429:
      return UpstreamFailure::kRateLimited;
    case 408:
      return UpstreamFailure::kUnavailable;
    default:
      return status / 100 == 5 ? UpstreamFailure::kUnavailable : UpstreamFailure::kInvalid;
  }
}

// Quoted and after a separator; empty if the object has no such text.
std::string Member(const boost::json::object& object, absl::string_view key, absl::string_view separator) {
  const boost::json::value* value = object.if_contains({key.data(), key.size()});
  if (value == nullptr || !value->is_string() || value->get_string().empty()) return "";
  return absl::StrCat(separator, QuotedInput({value->get_string().data(), value->get_string().size()}));
}

// The first of `{"errors":[{"code":…,"message":…}]}`.
std::string FirstError(absl::string_view body) {
  const auto value = ParseStrictJson(body);
  if (!value.ok() || !value->is_object()) return "";
  const boost::json::value* errors = value->get_object().if_contains("errors");
  if (errors == nullptr || !errors->is_array() || errors->get_array().empty()) return "";
  const boost::json::value& first = errors->get_array().front();
  if (!first.is_object()) return "";
  return absl::StrCat(Member(first.get_object(), "code", ": "), Member(first.get_object(), "message", ": "));
}

std::string ElsewhereOf(const Answer& answer) {
  if (!answer.left_origin) return "";
  const auto url = outbound::ParseUrl(answer.url);
  return url.ok() ? absl::StrCat(" at ", QuotedInput(url->host)) : "";
}

}  // namespace

absl::Status ErrorOfAnswer(absl::string_view upstream, absl::string_view request, const Answer& answer,
                           absl::Time now) {
  const UpstreamFailure failure = FailureOfStatus(answer.head.status);
  const std::string message = absl::StrCat(upstream, " answers ", answer.head.status, " to ", request,
                                           ElsewhereOf(answer), FirstError(answer.error_body));
  return UpstreamError(failure, message, ParseRetryAfter(answer.head, now));
}

}  // namespace entrepot::upstream
