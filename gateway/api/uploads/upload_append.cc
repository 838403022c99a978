#include "gateway/api/uploads/upload_append.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/api/request/body_reader.h"
#include "gateway/api/request/error_response.h"
#include "services/core/range_header.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {
namespace {

using boost::asio::awaitable;

absl::Status WrongLength(uint64_t range_bytes, absl::string_view what) {
  return OciError(OciErrorCode::kSizeInvalid,
                  absl::StrCat("the Content-Range has ", range_bytes, " bytes, the body ", what));
}

absl::Status BlobTooLong(uint64_t blob_bytes_max) {
  return HttpError(413, OciErrorCode::kSizeInvalid,
                   absl::StrCat("the blob is longer than ", blob_bytes_max, " bytes (limits.blob_bytes_max)"));
}

absl::StatusOr<std::optional<ByteRange>> ParseRange(const http::Request& request) {
  const std::optional<absl::string_view> header = request.Find("Content-Range");
  if (!header.has_value()) return std::nullopt;
  ASSIGN_OR_RETURN(const ByteRange range, ParseUploadContentRange(*header));
  const std::optional<uint64_t> length = request.body->content_length();
  if (length.has_value() && *length != range.length_bytes) {
    return WrongLength(range.length_bytes, absl::StrCat(*length));
  }
  return range;
}

// The number of bytes that may still be appended. `from_start`: the request completes the upload, and its offset is 0
// or absent.
awaitable<absl::StatusOr<uint64_t>> RemainingBytes(BlobBackend& blobs, const RegistryRequest& request,
                                                   const UploadId& id, bool from_start, uint64_t blob_bytes_max) {
  if (blob_bytes_max == 0) co_return std::numeric_limits<uint64_t>::max();
  CO_ASSIGN_OR_RETURN(const Upload upload, co_await blobs.GetUpload(request.call, request.repository, id));
  const uint64_t kept_bytes = from_start && upload.whole ? 0 : upload.offset_bytes;
  const uint64_t remaining = blob_bytes_max - std::min(blob_bytes_max, kept_bytes);
  if (request.http.body->content_length().value_or(0) > remaining) co_return BlobTooLong(blob_bytes_max);
  co_return remaining;
}

}  // namespace

awaitable<absl::StatusOr<std::unique_ptr<UploadStream>>> AppendRequestBody(BlobBackend& blobs, RegistryRequest& request,
                                                                           const UploadId& id, const Digest* digest,
                                                                           uint64_t blob_bytes_max) {
  CO_ASSIGN_OR_RETURN(const std::optional<ByteRange> range, ParseRange(request.http));
  AppendOptions options;
  options.last = digest != nullptr;
  if (digest != nullptr) options.algorithm = digest->algorithm();
  if (range.has_value()) options.offset_bytes = range->offset_bytes;
  const bool from_start = options.last && options.offset_bytes.value_or(0) == 0;
  CO_ASSIGN_OR_RETURN(const uint64_t remaining,
                      co_await RemainingBytes(blobs, request, id, from_start, blob_bytes_max));
  const bool range_bounds = range.has_value() && range->length_bytes <= remaining;
  CO_ASSIGN_OR_RETURN(std::unique_ptr<UploadStream> stream,
                      co_await blobs.AppendToUpload(request.call, request.repository, id, options));
  const CopiedBody copied = co_await CopyBody(request.http, *stream, range_bounds ? range->length_bytes : remaining);
  CO_RETURN_IF_ERROR(copied.sink);

  absl::Status status;
  if (!copied.source.ok()) {
    status = BodyError(copied.source, OciErrorCode::kBlobUploadInvalid);
  } else if (copied.too_long) {
    status = range_bounds ? WrongLength(range->length_bytes, "more") : BlobTooLong(blob_bytes_max);
  } else if (range.has_value() && copied.bytes != range->length_bytes) {
    status = WrongLength(range->length_bytes, absl::StrCat(copied.bytes));
  }
  if (status.ok()) co_return stream;
  CO_RETURN_IF_ERROR((co_await stream->Finish()).status());
  co_return status;
}

}  // namespace entrepot::gateway::api
