#include "gateway/api/content/blob_handler.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "gateway/api/content/damage_reporting_stream.h"
#include "gateway/api/content/entity_tag.h"
#include "services/core/range_header.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {
namespace {

using boost::asio::awaitable;

// The content of a digest never changes.
constexpr absl::string_view kCacheControl = "max-age=31536000, immutable";

http::Response DescribeBlob(int status, const Digest& digest) {
  http::Response response;
  response.status = status;
  response.fields.emplace_back("Docker-Content-Digest", digest.ToString());
  response.fields.emplace_back("ETag", EntityTag(digest));
  response.fields.emplace_back("Cache-Control", kCacheControl);
  return response;
}

http::Response RangeNotSatisfiable(const Blob& blob) {
  http::Response response;
  response.status = 416;
  response.fields.emplace_back("Content-Range", absl::StrCat("bytes */", blob.size_bytes));
  return response;
}

// The part of the blob that a GET requests; nullopt for all of it. kOutOfRange: the blob has no such part.
absl::StatusOr<std::optional<ByteRange>> WantedRange(const http::Request& request, const Blob& blob) {
  const std::optional<absl::string_view> range = request.Find("Range");
  if (!range.has_value()) return std::nullopt;
  // RFC 9110 section 13.1.5: the range applies only if the client's part is from this blob.
  const std::optional<absl::string_view> if_range = request.Find("If-Range");
  if (if_range.has_value() && *if_range != EntityTag(blob.digest)) return std::nullopt;
  return ResolveRangeHeader(*range, blob.size_bytes);
}

std::string ContentRange(const ByteRange& range, const Blob& blob) {
  return absl::StrCat("bytes ", range.offset_bytes, "-", range.offset_bytes + range.length_bytes - 1, "/",
                      blob.size_bytes);
}

}  // namespace

HandlerResult BlobHandler::Handle(RegistryRequest& request) const {
  CO_ASSIGN_OR_RETURN(const Digest digest, Digest::Parse(request.argument));
  if (request.http.method == "DELETE") co_return co_await Delete(request, digest);
  co_return co_await Get(request, digest);
}

HandlerResult BlobHandler::Get(RegistryRequest& request, const Digest& digest) const {
  CO_ASSIGN_OR_RETURN(const Blob blob, co_await manifests_->FindBlob(request.call, request.repository, digest));
  const std::optional<absl::string_view> if_none_match = request.http.Find("If-None-Match");
  if (if_none_match.has_value() && MatchesEntityTag(*if_none_match, digest)) co_return DescribeBlob(304, digest);

  http::Response response = DescribeBlob(200, digest);
  response.fields.emplace_back("Content-Type", "application/octet-stream");
  response.fields.emplace_back("Accept-Ranges", "bytes");
  if (request.http.method == "HEAD") {
    response.head_content_length = blob.size_bytes;
    co_return response;
  }

  ByteRange range{0, blob.size_bytes};
  const absl::StatusOr<std::optional<ByteRange>> wanted = WantedRange(request.http, blob);
  if (absl::IsOutOfRange(wanted.status())) co_return RangeNotSatisfiable(blob);
  CO_RETURN_IF_ERROR(wanted.status());
  if (wanted->has_value()) {
    range = **wanted;
    response.status = 206;
    response.fields.emplace_back("Content-Range", ContentRange(range, blob));
  }
  CO_ASSIGN_OR_RETURN(response.body, co_await ReadBody(request, blob, range));
  co_return response;
}

awaitable<absl::StatusOr<Body>> BlobHandler::ReadBody(RegistryRequest& request, Blob blob,
                                                      const ByteRange& range) const {
  if (range.length_bytes == 0) co_return std::string();
  absl::StatusOr<Body> body = co_await blobs_->ReadObject(request.call, blob, range);
  if (absl::IsNotFound(body.status())) {
    // The blob may have been collected and pushed again since FindBlob(); then it has another storage key.
    CO_ASSIGN_OR_RETURN(Blob again, co_await manifests_->FindBlob(request.call, request.repository, blob.digest));
    if (again.storage_key == blob.storage_key) {
      body = absl::DataLossError(
          absl::StrCat("no object has the storage key ", blob.storage_key.ToString(), " of ", blob.digest.ToString()));
    } else {
      blob = std::move(again);
      body = co_await blobs_->ReadObject(request.call, blob, range);
    }
  }
  if (absl::IsDataLoss(body.status())) {
    co_await ReportDamage(*manifests_, request.call, blob, body.status());
  }
  CO_RETURN_IF_ERROR(body.status());
  if (auto* stream = std::get_if<StreamBody>(&*body)) {
    stream->stream =
        std::make_unique<DamageReportingStream>(std::move(stream->stream), manifests_, request.call, std::move(blob));
  }
  co_return body;
}

HandlerResult BlobHandler::Delete(RegistryRequest& request, const Digest& digest) const {
  CO_RETURN_IF_ERROR(co_await manifests_->UnlinkBlob(request.call, request.repository, digest));
  http::Response response;
  response.status = 202;
  co_return response;
}

}  // namespace entrepot::gateway::api
