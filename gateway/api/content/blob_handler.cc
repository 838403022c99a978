#include "gateway/api/content/blob_handler.h"

#include <algorithm>
#include <iterator>
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
#include "services/core/blob_fields.h"
#include "services/core/range_header.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {
namespace {

// The content of a digest never changes.
constexpr absl::string_view kCacheControl = "max-age=31536000, immutable";
constexpr const char* kConditions[] = {"If-Match", "If-None-Match", "If-Range", "If-Modified-Since",
                                       "If-Unmodified-Since"};

http::Response DescribeBlob(int status, const Digest& digest) {
  http::Response response;
  response.status = status;
  response.fields.reserve(7);
  response.fields.emplace_back("Docker-Content-Digest", digest.ToString());
  response.fields.emplace_back("ETag", EntityTag(digest));
  response.fields.emplace_back("Cache-Control", kCacheControl);
  response.fields.emplace_back("Content-Disposition", kBlobContentDisposition);
  return response;
}

// The parts of the blob that a GET requests; none for all of it. Errors of ResolveRangeHeader().
absl::StatusOr<std::vector<ByteRange>> RequestedRanges(const http::Request& request, const Digest& digest,
                                                       uint64_t size_bytes, size_t ranges_max) {
  const std::string header = request.Join("Range");
  if (header.empty()) return std::vector<ByteRange>();
  // RFC 9110 section 13.1.5: the ranges apply only if the client's part is from this blob.
  const std::optional<absl::string_view> if_range = request.Find("If-Range");
  if (if_range.has_value() && *if_range != EntityTag(digest)) return std::vector<ByteRange>();
  return ResolveRangeHeader(header, size_bytes, ranges_max);
}

// The memory in which a blob is sent: `bytes`, or little if the client has used up what it may have for buffers.
size_t ReserveBuffer(size_t bytes, http::MemoryBudget::Reservation* memory) {
  return memory->TryGrowTo(bytes) ? bytes : http::MemoryBudget::kUncountedBytes;
}

// The response to ranges that ResolveRangeHeader() refuses with `status`, if the client is the cause.
absl::StatusOr<http::Response> RefuseRanges(uint64_t size_bytes, const absl::Status& status) {
  if (absl::IsOutOfRange(status)) {
    http::Response response = ErrorResponse(status, "");
    response.fields.emplace_back("Content-Range", absl::StrCat("bytes */", size_bytes));
    return response;
  }
  if (absl::IsInvalidArgument(status)) return HttpError(400, OciErrorCode::kUnsupported, status.message());
  return status;
}

http::Response DescribeWhole(const Digest& digest) {
  http::Response response = DescribeBlob(200, digest);
  response.fields.emplace_back("Accept-Ranges", "bytes");
  return response;
}

http::Response AnswerHead(const Digest& digest, uint64_t size_bytes) {
  http::Response response = DescribeWhole(digest);
  response.fields.emplace_back("Content-Type", kBlobContentType);
  response.head_content_length = size_bytes;
  return response;
}

// Whether another server may answer the request, which the client repeats there with its fields. Entity tags of the
// registry mean nothing to it.
bool MayRedirect(const http::Request& request) {
  return std::none_of(std::begin(kConditions), std::end(kConditions),
                      [&](const char* name) { return request.Find(name).has_value(); });
}

// The URL is for this client alone and ends soon.
http::Response RedirectTo(std::string url, const Digest& digest) {
  http::Response response;
  response.status = 307;
  response.fields.emplace_back("Docker-Content-Digest", digest.ToString());
  response.fields.emplace_back("Cache-Control", "no-store");
  response.fields.emplace_back("Location", std::move(url));
  return response;
}

}  // namespace

HandlerResult BlobHandler::Handle(RegistryRequest& request) const {
  CO_ASSIGN_OR_RETURN(const Digest digest, Digest::Parse(request.argument));
  if (request.http.method == "DELETE") co_return co_await Delete(request, digest);
  co_return co_await Get(request, digest);
}

HandlerResult BlobHandler::Get(RegistryRequest& request, const Digest& digest) const {
  const absl::StatusOr<Blob> blob = co_await manifests_->FindBlob(request.call, request.repository, digest);
  if (blob.ok()) co_return co_await GetStored(request, *blob);
  if (request.is_cached && absl::IsNotFound(blob.status())) co_return co_await GetFetched(request, digest);
  co_return blob.status();
}

HandlerResult BlobHandler::GetStored(RegistryRequest& request, const Blob& blob) const {
  const Digest& digest = blob.digest;
  CO_ASSIGN_OR_RETURN(const bool unchanged, IsUnchanged(request.http, digest));
  if (unchanged) co_return DescribeBlob(304, digest);
  if (request.http.method == "HEAD") co_return AnswerHead(digest, blob.size_bytes);

  http::Response response = DescribeWhole(digest);
  if (request.is_cached) response.sent_bytes = &cached_->served().Of(request.repository, ServedBytes::Source::kStored);
  absl::StatusOr<std::vector<ByteRange>> ranges = RequestedRanges(request.http, digest, blob.size_bytes, ranges_max_);
  if (!ranges.ok()) co_return RefuseRanges(blob.size_bytes, ranges.status());
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
  response.fields.emplace_back("Content-Type", kBlobContentType);
  if (!ranges->empty()) response.fields.emplace_back("Content-Range", ContentRange(ranges->front(), blob.size_bytes));
  const ByteRange range = ranges->empty() ? ByteRange{0, blob.size_bytes} : ranges->front();
  const size_t memory_bytes =
      ReserveBuffer(std::min<uint64_t>(range.length_bytes, BlobBackend::kReadMemoryBytes), &memory);
  CO_ASSIGN_OR_RETURN(ObjectContent content, co_await reader_.Read(request.call, request.repository, blob, range,
                                                                   memory_bytes, MayRedirect(request.http)));
  if (!content.url.empty()) co_return RedirectTo(std::move(content.url), digest);
  BodyPiece bytes = std::move(content.bytes);
  // What the server needs for a file depends on the connection.
  if (memory_bytes > http::MemoryBudget::kUncountedBytes && !std::holds_alternative<FileBody>(bytes)) {
    response.memory = std::make_unique<http::MemoryBudget::Reservation>(std::move(memory));
  }
  response.body = ToBody(std::move(bytes));
  co_return response;
}

HandlerResult BlobHandler::GetFetched(RegistryRequest& request, const Digest& digest) const {
  const bool is_head = request.http.method == "HEAD";
  const bool has_conditions = request.http.Find("Range").has_value() || request.http.Find("If-Match").has_value() ||
                              request.http.Find("If-None-Match").has_value();
  if (!is_head && !has_conditions) co_return co_await ReadFetched(request, digest, std::nullopt, 0);
  // The answer depends on the size, or on whether there is such a blob.
  CO_ASSIGN_OR_RETURN(const UpstreamBlob found,
                      co_await cached_->upstreams().FindBlob(request.call, request.repository, digest));
  CO_ASSIGN_OR_RETURN(const bool unchanged, IsUnchanged(request.http, digest));
  if (unchanged) co_return DescribeBlob(304, digest);
  if (is_head) co_return AnswerHead(digest, found.size_bytes);
  const absl::StatusOr<std::vector<ByteRange>> ranges =
      RequestedRanges(request.http, digest, found.size_bytes, ranges_max_);
  if (!ranges.ok()) co_return RefuseRanges(found.size_bytes, ranges.status());
  // Several ranges: a server may answer with the whole, which the fetch brings anyway.
  const std::optional<ByteRange> range = ranges->size() == 1 ? std::optional(ranges->front()) : std::nullopt;
  co_return co_await ReadFetched(request, digest, range, found.size_bytes);
}

HandlerResult BlobHandler::ReadFetched(RegistryRequest& request, const Digest& digest, std::optional<ByteRange> range,
                                       uint64_t size_bytes) const {
  http::MemoryBudget::Reservation memory = request.http.ReserveMemory();
  const size_t memory_bytes = ReserveBuffer(BlobBackend::kReadMemoryBytes, &memory);
  const ByteRange part = range.value_or(ByteRange());
  CO_ASSIGN_OR_RETURN(UpstreamBlob blob,
                      co_await cached_->upstreams().OpenBlob(request.call, request.repository, digest,
                                                             part.offset_bytes, part.length_bytes, memory_bytes));
  if (blob.stored) {
    CO_ASSIGN_OR_RETURN(const Blob stored, co_await manifests_->FindBlob(request.call, request.repository, digest));
    co_return co_await GetStored(request, stored);
  }
  if (!blob.body.has_value() || (range.has_value() && blob.size_bytes != size_bytes)) {
    co_return OciError(OciErrorCode::kUnavailable, "the size of a blob of an upstream has changed");
  }
  http::Response response = DescribeWhole(digest);
  response.sent_bytes = &cached_->served().Of(request.repository, ServedBytes::Source::kFetched);
  response.fields.emplace_back("Content-Type", kBlobContentType);
  if (range.has_value()) {
    response.status = 206;
    response.fields.emplace_back("Content-Range", ContentRange(*range, size_bytes));
  }
  if (memory_bytes > http::MemoryBudget::kUncountedBytes) {
    response.memory = std::make_unique<http::MemoryBudget::Reservation>(std::move(memory));
  }
  response.body = *std::move(blob.body);
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
