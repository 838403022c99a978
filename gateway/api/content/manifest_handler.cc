#include "gateway/api/content/manifest_handler.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/api/content/entity_tag.h"
#include "gateway/api/request/body_reader.h"
#include "gateway/api/request/error_response.h"
#include "gateway/api/request/query.h"
#include "gateway/api/request/route_table.h"
#include "services/core/failpoint/failpoint.h"
#include "services/core/media_type.h"
#include "services/core/tag.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {
namespace {

constexpr size_t kLargeBytes = 256 * 1024;
// The specification requires at least 10 in one request.
constexpr size_t kTagsMax = 100;

absl::StatusOr<std::vector<Tag>> ParseTags(absl::string_view query_text) {
  ASSIGN_OR_RETURN(const Query query, Query::Parse(query_text));
  const std::vector<std::string> texts = query.All("tag");
  if (texts.size() > kTagsMax) {
    return HttpError(414, OciErrorCode::kTagInvalid,
                     absl::StrCat("the request has more than ", kTagsMax, " tags (a fixed limit)"));
  }
  std::vector<Tag> tags;
  for (const std::string& text : texts) {
    ASSIGN_OR_RETURN(Tag tag, Tag::Parse(text));
    if (std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.push_back(std::move(tag));
  }
  return tags;
}

absl::Status CheckContentEncoding(const http::Request& request) {
  const std::optional<absl::string_view> encoding = request.Find("Content-Encoding");
  if (!encoding.has_value() || absl::EqualsIgnoreCase(*encoding, "identity")) return absl::OkStatus();
  return HttpError(415, OciErrorCode::kManifestInvalid,
                   "a manifest is stored byte for byte: send it without Content-Encoding");
}

absl::StatusOr<std::optional<MediaType>> ContentType(const http::Request& request) {
  const std::optional<absl::string_view> text = request.Find("Content-Type");
  if (!text.has_value()) return std::nullopt;
  ASSIGN_OR_RETURN(MediaType media_type, MediaType::ParseHeader(*text));
  return media_type;
}

std::string JoinTags(const std::vector<Tag>& tags) {
  return absl::StrJoin(tags, ", ", [](std::string* out, const Tag& tag) { out->append(tag.ToString()); });
}

boost::asio::awaitable<absl::StatusOr<runtime::TurnQueue::Turn>> TakeTurn(runtime::TurnQueue& large_puts,
                                                                          std::string requester) {
  std::variant<runtime::TurnQueue::Turn, runtime::TurnQueue::Refusal> taken =
      co_await large_puts.Take(std::move(requester));
  if (auto* const turn = std::get_if<runtime::TurnQueue::Turn>(&taken)) co_return std::move(*turn);
  co_return HttpError(503, OciErrorCode::kUnavailable,
                      absl::StrCat("other manifests over ", kLargeBytes,
                                   " bytes take too long: ", ManifestHandler::kLargePuts.running_max,
                                   " are stored at once (a fixed limit); try again"));
}

}  // namespace

HandlerResult ManifestHandler::Handle(RegistryRequest& request) const {
  CO_ASSIGN_OR_RETURN(const Reference reference, ParseReference(request.argument));
  if (request.http.method == "PUT") co_return co_await Put(request, reference);
  if (request.http.method == "DELETE") co_return co_await Delete(request, reference);
  co_return co_await Get(request, reference);
}

HandlerResult ManifestHandler::Get(RegistryRequest& request, const Reference& reference) const {
  const bool is_head = request.http.method == "HEAD";
  http::Response response;
  response.fields.reserve(6);
  std::optional<StoredManifest> found;
  if (request.is_cached) {
    CO_ASSIGN_OR_RETURN(CachedManifest cached,
                        co_await cached_->GetManifest(request.call, request.repository, reference, is_head));
    AddFreshness(cached, &response);
    found = std::move(cached.manifest);
  } else {
    CO_ASSIGN_OR_RETURN(found, co_await manifests_->GetManifest(request.call, request.repository, reference, is_head));
  }
  StoredManifest& manifest = *found;
  response.fields.emplace_back("Docker-Content-Digest", manifest.digest.ToString());
  response.fields.emplace_back("ETag", EntityTag(manifest.digest));
  CO_ASSIGN_OR_RETURN(const bool unchanged, IsUnchanged(request.http, manifest.digest));
  if (unchanged) {
    response.status = 304;
    co_return response;
  }
  response.fields.emplace_back("Content-Type", std::move(manifest.media_type));
  if (is_head) {
    response.head_content_length = manifest.size_bytes;
  } else {
    CO_ASSIGN_OR_RETURN(response.body, bodies_->Make(request.http, manifest.digest, std::move(manifest.content)));
  }
  co_return response;
}

HandlerResult ManifestHandler::Put(RegistryRequest& request, const Reference& reference) const {
  CO_RETURN_IF_ERROR(CheckContentEncoding(request.http));
  CO_ASSIGN_OR_RETURN(std::vector<Tag> tags, ParseTags(request.http.query));
  CO_ASSIGN_OR_RETURN(std::optional<MediaType> media_type, ContentType(request.http));
  CO_ASSIGN_OR_RETURN(WholeBody body, co_await ReadWholeBody(request.http, bytes_max_, OciErrorCode::kManifestInvalid,
                                                             "limits.manifest_bytes_max"));
  runtime::TurnQueue::Turn turn;
  if (body.bytes.size() > kLargeBytes) {
    CO_ASSIGN_OR_RETURN(turn, co_await TakeTurn(*large_puts_, RequesterOf(request.call)));
  }
  const ManifestPut put{reference,
                        std::move(media_type),
                        std::move(body.bytes),
                        std::move(tags),
                        ParsePreconditions(request.http),
                        request.call.cache_of};
  CO_ASSIGN_OR_RETURN(const ManifestPutResult result,
                      co_await manifests_->PutManifest(request.call, request.repository, put));
  CO_RETURN_IF_ERROR(Failpoint("gateway.manifest.put"));
  http::Response response;
  response.status = 201;
  response.fields.emplace_back(
      "Location", RoutePath(RouteFamily::kManifest, request.repository.ToString(), result.digest.ToString()));
  response.fields.emplace_back("Docker-Content-Digest", result.digest.ToString());
  if (result.subject.has_value()) response.fields.emplace_back("OCI-Subject", result.subject->ToString());
  if (!put.tags.empty()) response.fields.emplace_back("OCI-Tag", JoinTags(put.tags));
  co_return response;
}

HandlerResult ManifestHandler::Delete(RegistryRequest& request, const Reference& reference) const {
  CO_RETURN_IF_ERROR(co_await manifests_->DeleteManifest(request.call, request.repository, reference,
                                                         ParsePreconditions(request.http)));
  CO_RETURN_IF_ERROR(Failpoint("gateway.manifest.deleted"));
  http::Response response;
  response.status = 202;
  co_return response;
}

}  // namespace entrepot::gateway::api
