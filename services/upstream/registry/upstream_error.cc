#include "services/upstream/registry/upstream_error.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/status/oci_error.h"
#include "services/status/retry_after.h"

namespace entrepot::upstream {
namespace {

// The payload: the name of the failure, a line feed, and the seconds that the upstream asked for, if any.
constexpr absl::string_view kPayloadUrl = "entrepot/upstream-failure";
constexpr char kNotSentUrl[] = "entrepot.upstream.NotSent";

constexpr absl::Duration kRetryAfterMin = absl::Seconds(1);
constexpr absl::Duration kRetryAfterMax = absl::Hours(1);

struct Row {
  UpstreamFailure failure;
  absl::string_view name;
  OciErrorCode code;
  // For the client, if the upstream asks for no wait.
  absl::Duration retry_after;
};

// In the order of the enum.
constexpr std::array kTable = {
    Row{UpstreamFailure::kNotFound, "not_found", OciErrorCode::kNameUnknown, absl::ZeroDuration()},
    Row{UpstreamFailure::kDenied, "denied", OciErrorCode::kDenied, absl::ZeroDuration()},
    Row{UpstreamFailure::kRateLimited, "rate_limited", OciErrorCode::kUnavailable, absl::Seconds(60)},
    Row{UpstreamFailure::kUnavailable, "unavailable", OciErrorCode::kUnavailable, absl::Seconds(5)},
    Row{UpstreamFailure::kInvalid, "invalid", OciErrorCode::kUnavailable, absl::Seconds(5)},
};

const Row& RowOf(UpstreamFailure failure) { return kTable[static_cast<size_t>(failure)]; }

}  // namespace

absl::string_view ToString(UpstreamFailure failure) { return RowOf(failure).name; }

absl::Status UpstreamError(UpstreamFailure failure, absl::string_view message,
                           std::optional<absl::Duration> retry_after) {
  const Row& row = RowOf(failure);
  absl::Status status = OciError(row.code, message, message);
  std::string payload = absl::StrCat(row.name, "\n");
  if (retry_after.has_value()) {
    retry_after = std::clamp(*retry_after, kRetryAfterMin, kRetryAfterMax);
    absl::StrAppend(&payload, RetryAfterSeconds(*retry_after));
  }
  if (row.code == OciErrorCode::kUnavailable) status = WithRetryAfter(status, retry_after.value_or(row.retry_after));
  status.SetPayload(kPayloadUrl, absl::Cord(payload));
  return status;
}

absl::Status NotSentError(absl::string_view message) {
  absl::Status status = UpstreamError(UpstreamFailure::kUnavailable, message);
  status.SetPayload(kNotSentUrl, absl::Cord("1"));
  return status;
}

bool IsNotSent(const absl::Status& status) { return status.GetPayload(kNotSentUrl).has_value(); }

std::optional<UpstreamFailure> FailureOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kPayloadUrl);
  if (!payload.has_value()) return std::nullopt;
  const std::string text(*payload);
  const absl::string_view name = absl::string_view(text).substr(0, text.find('\n'));
  for (const Row& row : kTable) {
    if (row.name == name) return row.failure;
  }
  return std::nullopt;
}

std::optional<absl::Duration> UpstreamRetryAfter(const absl::Status& status) {
  const auto payload = status.GetPayload(kPayloadUrl);
  if (!payload.has_value()) return std::nullopt;
  const std::string text(*payload);
  int64_t seconds = 0;
  if (!absl::SimpleAtoi(text.substr(text.find('\n') + 1), &seconds)) return std::nullopt;
  return absl::Seconds(seconds);
}

}  // namespace entrepot::upstream
