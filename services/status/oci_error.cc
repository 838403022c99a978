#include "services/status/oci_error.h"

#include <array>
#include <cstddef>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"

namespace entrepot {
namespace {

// The payload: the name of the code, a line feed, and the detail.
constexpr absl::string_view kPayloadUrl = "entrepot/oci-error";

using Code = OciErrorCode;
using absl::StatusCode;

// In the order of the enum.
constexpr std::array kTable = {
    OciErrorInfo{Code::kBlobUnknown, "BLOB_UNKNOWN", 404, StatusCode::kNotFound},
    OciErrorInfo{Code::kBlobUploadInvalid, "BLOB_UPLOAD_INVALID", 400, StatusCode::kInvalidArgument},
    OciErrorInfo{Code::kBlobUploadUnknown, "BLOB_UPLOAD_UNKNOWN", 404, StatusCode::kNotFound},
    OciErrorInfo{Code::kDigestInvalid, "DIGEST_INVALID", 400, StatusCode::kInvalidArgument},
    OciErrorInfo{Code::kManifestBlobUnknown, "MANIFEST_BLOB_UNKNOWN", 404, StatusCode::kNotFound},
    OciErrorInfo{Code::kManifestInvalid, "MANIFEST_INVALID", 400, StatusCode::kInvalidArgument},
    OciErrorInfo{Code::kManifestUnknown, "MANIFEST_UNKNOWN", 404, StatusCode::kNotFound},
    OciErrorInfo{Code::kNameInvalid, "NAME_INVALID", 400, StatusCode::kInvalidArgument},
    OciErrorInfo{Code::kNameUnknown, "NAME_UNKNOWN", 404, StatusCode::kNotFound},
    OciErrorInfo{Code::kSizeInvalid, "SIZE_INVALID", 400, StatusCode::kInvalidArgument},
    OciErrorInfo{Code::kUnauthorized, "UNAUTHORIZED", 401, StatusCode::kUnauthenticated},
    OciErrorInfo{Code::kDenied, "DENIED", 403, StatusCode::kPermissionDenied},
    OciErrorInfo{Code::kUnsupported, "UNSUPPORTED", 405, StatusCode::kUnimplemented},
    OciErrorInfo{Code::kTooManyRequests, "TOOMANYREQUESTS", 429, StatusCode::kResourceExhausted},
    OciErrorInfo{Code::kRangeInvalid, "RANGE_INVALID", 416, StatusCode::kOutOfRange},
    OciErrorInfo{Code::kTagInvalid, "TAG_INVALID", 400, StatusCode::kInvalidArgument},
    OciErrorInfo{Code::kUnavailable, "UNAVAILABLE", 503, StatusCode::kUnavailable},
    OciErrorInfo{Code::kPaginationNumberInvalid, "PAGINATION_NUMBER_INVALID", 400, StatusCode::kInvalidArgument},
    OciErrorInfo{Code::kPreconditionFailed, "PRECONDITION_FAILED", 412, StatusCode::kFailedPrecondition},
    OciErrorInfo{Code::kUnknown, "UNKNOWN", 500, StatusCode::kInternal},
};

constexpr bool TableFollowsEnum() {
  for (size_t i = 0; i < kTable.size(); ++i) {
    if (kTable[i].code != static_cast<Code>(i)) return false;
  }
  return kTable.back().code == Code::kUnknown;
}
static_assert(TableFollowsEnum());

}  // namespace

const OciErrorInfo& GetOciErrorInfo(OciErrorCode code) { return kTable[static_cast<size_t>(code)]; }

std::optional<OciErrorCode> OciErrorCodeByName(absl::string_view name) {
  for (const OciErrorInfo& info : kTable) {
    if (info.name == name) return info.code;
  }
  return std::nullopt;
}

absl::Status OciError(OciErrorCode code, absl::string_view message, absl::string_view detail) {
  const OciErrorInfo& info = GetOciErrorInfo(code);
  absl::Status status(info.status_code, message);
  status.SetPayload(kPayloadUrl, absl::Cord(absl::StrCat(info.name, "\n", detail)));
  return status;
}

std::optional<OciErrorCode> GetOciErrorCode(const absl::Status& status) {
  const auto payload = status.GetPayload(kPayloadUrl);
  if (!payload.has_value()) return std::nullopt;
  const std::string text(*payload);
  return OciErrorCodeByName(absl::string_view(text).substr(0, text.find('\n')));
}

std::string GetOciErrorDetail(const absl::Status& status) {
  const auto payload = status.GetPayload(kPayloadUrl);
  if (!payload.has_value()) return "";
  const std::string text(*payload);
  return text.substr(text.find('\n') + 1);
}

}  // namespace entrepot
