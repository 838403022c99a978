#include "services/status/grpc_status.h"

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "entrepot/types/v1/oci_error.pb.h"
#include "google/protobuf/stubs/common.h"
#include "services/status/oci_error.h"
#include "services/status/retry_after.h"

namespace entrepot {
namespace {

// A string field of a message must be UTF-8; otherwise the reader drops the whole message.
std::string ToUtf8(absl::string_view text) {
  const bool is_utf8 = google::protobuf::internal::IsStructurallyValidUTF8(text.data(), static_cast<int>(text.size()));
  return is_utf8 ? std::string(text) : absl::CHexEscape(text);
}

std::string PackDetails(const absl::Status& status, OciErrorCode code) {
  types::v1::OciError error;
  error.set_code(std::string(GetOciErrorInfo(code).name));
  error.set_detail(ToUtf8(GetOciErrorDetail(status)));
  if (const auto wait = GetRetryAfter(status)) error.set_retry_after_seconds(absl::ToInt64Seconds(*wait));
  types::v1::StatusEnvelope envelope;
  envelope.set_code(static_cast<int>(status.code()));
  envelope.set_message(ToUtf8(status.message()));
  envelope.add_details()->PackFrom(error);
  return envelope.SerializeAsString();
}

std::optional<types::v1::OciError> UnpackDetails(const std::string& details) {
  types::v1::StatusEnvelope envelope;
  if (!envelope.ParseFromString(details)) return std::nullopt;
  for (const google::protobuf::Any& any : envelope.details()) {
    types::v1::OciError error;
    if (any.UnpackTo(&error)) return error;
  }
  return std::nullopt;
}

absl::StatusCode ToAbslCode(grpc::StatusCode code) {
  const int number = static_cast<int>(code);
  const bool is_known = 0 <= number && number <= static_cast<int>(absl::StatusCode::kUnauthenticated);
  return is_known ? static_cast<absl::StatusCode>(number) : absl::StatusCode::kUnknown;
}

bool IsTransportCode(grpc::StatusCode code) {
  return code == grpc::StatusCode::UNAVAILABLE || code == grpc::StatusCode::DEADLINE_EXCEEDED ||
         code == grpc::StatusCode::CANCELLED;
}

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const auto code = static_cast<grpc::StatusCode>(status.code());
  const std::optional<OciErrorCode> oci_code = GetOciErrorCode(status);
  if (!oci_code.has_value()) return grpc::Status(code, std::string(status.message()));
  return grpc::Status(code, std::string(status.message()), PackDetails(status, *oci_code));
}

absl::Status FromGrpcStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const std::optional<types::v1::OciError> error = UnpackDetails(status.error_details());
  const std::optional<OciErrorCode> oci_code = error.has_value() ? OciErrorCodeByName(error->code()) : std::nullopt;
  if (oci_code.has_value()) {
    const absl::Status received = OciError(*oci_code, status.error_message(), error->detail());
    const int64_t wait_seconds = error->retry_after_seconds();
    return wait_seconds > 0 ? WithRetryAfter(received, absl::Seconds(wait_seconds)) : received;
  }
  if (IsTransportCode(status.error_code())) return OciError(OciErrorCode::kUnavailable, status.error_message());
  return absl::Status(ToAbslCode(status.error_code()), status.error_message());
}

}  // namespace entrepot
