#include "gateway/api/content/blob_handler.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/api/content/entity_tag.h"
#include "gateway/api/content/multipart_ranges.h"
#include "gateway/api/request/error_response.h"
#include "services/core/range_header.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {
namespace {

// The content of a digest never changes.
constexpr absl::string_view kCacheControl = "max-age=31536000, immutable";
constexpr absl::string_view kContentType = "application/octet-stream";

http::Response DescribeBlob(int status, const Digest& digest) {
  http::Response response;
  response.status = status;
  response.fields.reserve(7);
  response.fields.emplace_back("Docker-Content-Digest", digest.ToString());
  response.fields.emplace_back("ETag", EntityTag(digest));
  response.fields.emplace_back("Cache-Control", kCacheControl);
  // A browser must not show what clients have pushed as a page of this origin.
  response.fields.emplace_back("Content-Disposition", "attachment");
  return response;
}

// The parts of the blob that a GET requests; none for all of it. Errors of ResolveRangeHeader().
absl::StatusOr<std::vector<ByteRange>> RequestedRanges(const http::Request& request, const Blob& blob,
                                                       size_t ranges_max) {
  const std::string header = request.Join("Range");
  if (header.empty()) return std::vector<ByteRange>();
  // RFC 9110 section 13.1.5: the ranges apply only if the client's part is from this blob.
  const std::optional<absl::string_view> if_range = request.Find("If-Range");
  if (if_range.has_value() && *if_range != EntityTag(blob.digest)) return std::vector<ByteRange>();
  return ResolveRangeHeader(header, blob.size_bytes, ranges_max);
}

// The memory in which a blob is sent: `bytes`, or little if the client has used up what it may have for buffers.
size_t ReserveBuffer(size_t bytes, http::MemoryBudget::Reservation* memory) {
  return memory->TryGrowTo(bytes) ? bytes : http::MemoryBudget::kUncountedBytes;
}

http::Response RangeNotSatisfiable(const Blob& blob, const absl::Status& status) {
  http::Response response = ErrorResponse(status, "");
  response.fields.emplace_back("Content-Range", absl::StrCat("bytes */", blob.size_bytes));
  return response;
}

}  // namespace

HandlerResult BlobHandler::Handle(RegistryRequest& request) const {
  CO_ASSIGN_OR_RETURN(const Digest digest, Digest::Parse(request.argument));
  if (request.http.method == "DELETE") co_return co_await Delete(request, digest);
  co_return co_await Get(request, digest);
}

HandlerResult BlobHandler::Get(RegistryRequest& request, const Digest& digest) const {
  CO_ASSIGN_OR_RETURN(const Blob blob, co_await manifests_->FindBlob(request.call, request.repository, digest));
  CO_ASSIGN_OR_RETURN(const bool unchanged, IsUnchanged(request.http, digest));
  if (unchanged) co_return DescribeBlob(304, digest);

  http::Response response = DescribeBlob(200, digest);
  response.fields.emplace_back("Accept-Ranges", "bytes");
  if (request.http.method == "HEAD") {
    response.fields.emplace_back("Content-Type", kContentType);
    response.head_content_length = blob.size_bytes;
    co_return response;
  }
  absl::StatusOr<std::vector<ByteRange>> ranges = RequestedRanges(request.http, blob, ranges_max_);
  if (absl::IsOutOfRange(ranges.status())) co_return RangeNotSatisfiable(blob, ranges.status());
  if (absl::IsInvalidArgument(ranges.status())) {
    co_return HttpError(400, OciErrorCode::kUnsupported, ranges.status().message());
  }
  CO_RETURN_IF_ERROR(ranges.status());
  if (!ranges->empty()) response.status = 206;
  http::MemoryBudget::Reservation memory = request.http.ReserveMemory();
  if (ranges->size() > 1) {
    response.fields.emplace_back("Content-Type", MultipartRangesType(digest));
    const size_t memory_bytes = ReserveBuffer(BlobBackend::kReadMemoryBytes, &memory);
    CO_ASSIGN_OR_RETURN(response.body, co_await ReadRanges(reader_, request.call, request.repository, blob,
                                                           *std::move(ranges), memory_bytes));
    response.memory = std::make_unique<http::MemoryBudget::Reservation>(std::move(memory));
    co_return response;
  }
  response.fields.emplace_back("Content-Type", kContentType);
  if (!ranges->empty()) response.fields.emplace_back("Content-Range", ContentRange(ranges->front(), blob.size_bytes));
  const ByteRange range = ranges->empty() ? ByteRange{0, blob.size_bytes} : ranges->front();
  const size_t memory_bytes =
      ReserveBuffer(std::min<uint64_t>(range.length_bytes, BlobBackend::kReadMemoryBytes), &memory);
  CO_ASSIGN_OR_RETURN(BodyPiece bytes,
                      co_await reader_.Read(request.call, request.repository, blob, range, memory_bytes));
  // What the server needs for a file depends on the connection.
  if (memory_bytes > http::MemoryBudget::kUncountedBytes && !std::holds_alternative<FileBody>(bytes)) {
    response.memory = std::make_unique<http::MemoryBudget::Reservation>(std::move(memory));
  }
  response.body = ToBody(std::move(bytes));
  co_return response;
}

HandlerResult BlobHandler::Delete(RegistryRequest& request, const Digest& digest) const {
  const absl::Status allowed = ParsePreconditions(request.http).Check(digest);
  if (!allowed.ok()) {
    // A blob never changes, so only its existence is open: without the blob, 404 goes first.
    CO_RETURN_IF_ERROR((co_await manifests_->FindBlob(request.call, request.repository, digest)).status());
    co_return allowed;
  }
  CO_RETURN_IF_ERROR(co_await manifests_->UnlinkBlob(request.call, request.repository, digest));
  http::Response response;
  response.status = 202;
  co_return response;
}

}  // namespace entrepot::gateway::api
