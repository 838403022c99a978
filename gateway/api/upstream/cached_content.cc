#include "gateway/api/upstream/cached_content.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "services/core/media_type.h"
#include "services/core/tag.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {
namespace {

using boost::asio::awaitable;

// The upstream service did not respond. If it responds that an upstream fails, its error has a text for the client.
bool IsServiceDown(const absl::Status& status) {
  return absl::IsUnavailable(status) && GetOciErrorDetail(status).empty();
}

ReferrerPage PageOf(std::vector<Referrer> referrers, absl::string_view artifact_type, size_t limit,
                    absl::string_view last) {
  auto next = referrers.begin();
  if (!last.empty()) {
    next = std::find_if(next, referrers.end(), [last](const Referrer& r) { return r.digest.ToString() == last; });
    if (next != referrers.end()) ++next;
  }
  ReferrerPage page;
  for (; next != referrers.end(); ++next) {
    if (!artifact_type.empty() && next->artifact_type != artifact_type) continue;
    if (page.referrers.size() == limit) {
      page.next = page.referrers.back().digest;
      break;
    }
    page.referrers.push_back(std::move(*next));
  }
  return page;
}

}  // namespace

awaitable<absl::StatusOr<CachedManifest>> CachedContent::GetManifest(const CallContext& call,
                                                                     const RepositoryName& repository,
                                                                     const Reference& reference,
                                                                     bool metadata_only) const {
  if (std::holds_alternative<Digest>(reference)) return GetByDigest(call, repository, reference, metadata_only);
  return GetByTag(call, repository, reference, metadata_only);
}

awaitable<absl::StatusOr<CachedManifest>> CachedContent::GetByDigest(const CallContext& call,
                                                                     const RepositoryName& repository,
                                                                     const Reference& reference,
                                                                     bool metadata_only) const {
  absl::StatusOr<StoredManifest> stored = co_await manifests_->GetManifest(call, repository, reference, metadata_only);
  if (stored.ok()) co_return CachedManifest{.manifest = *std::move(stored)};
  if (!absl::IsNotFound(stored.status())) co_return stored.status();
  co_return co_await Resolve(call, repository, reference, metadata_only);
}

awaitable<absl::StatusOr<CachedManifest>> CachedContent::GetByTag(const CallContext& call,
                                                                  const RepositoryName& repository,
                                                                  const Reference& reference,
                                                                  bool metadata_only) const {
  std::optional<RecalledTag> recalled = upstreams_->RecallTag(repository, std::get<Tag>(reference));
  if (recalled.has_value()) {
    absl::StatusOr<StoredManifest> here = co_await manifests_->GetManifest(call, repository, reference, metadata_only);
    if (!here.ok() && !absl::IsNotFound(here.status())) co_return here.status();
    // Otherwise the tag has moved or was deleted since.
    if (here.ok() && here->digest == recalled->digest) {
      upstreams_->CountRecalled(repository, *recalled);
      co_return CachedManifest{
          .manifest = *std::move(here), .stale_reason = std::move(recalled->stale_reason), .age = recalled->age};
    }
  }
  absl::StatusOr<CachedManifest> resolved = co_await Resolve(call, repository, reference, metadata_only);
  if (!IsServiceDown(resolved.status())) co_return resolved;
  absl::StatusOr<StoredManifest> stored = co_await manifests_->GetManifest(call, repository, reference, metadata_only);
  if (!stored.ok()) co_return resolved;
  co_return CachedManifest{.manifest = *std::move(stored), .stale_reason = "the upstream service does not respond"};
}

awaitable<absl::StatusOr<CachedManifest>> CachedContent::Resolve(const CallContext& call,
                                                                 const RepositoryName& repository,
                                                                 const Reference& reference, bool metadata_only) const {
  CO_ASSIGN_OR_RETURN(ResolvedManifest found,
                      co_await upstreams_->ResolveManifest(call, repository, reference, metadata_only));
  if (!found.stored && !MediaType::Parse(found.media_type).ok()) {
    // The upstream's answer to HEAD has no type that a response may have. The content has one.
    CO_ASSIGN_OR_RETURN(found, co_await upstreams_->ResolveManifest(call, repository, found.digest,
                                                                    /*metadata_only=*/false));
  }
  CachedManifest manifest{.manifest = {.digest = found.digest,
                                       .media_type = std::move(found.media_type),
                                       .content = "",
                                       .size_bytes = found.size_bytes},
                          .stale_reason = std::move(found.stale_reason),
                          .age = found.age};
  if (found.stored) {
    CO_ASSIGN_OR_RETURN(manifest.manifest,
                        co_await manifests_->GetManifest(call, repository, found.digest, metadata_only));
  }
  co_return manifest;
}

awaitable<absl::StatusOr<TagPage>> CachedContent::ListTags(const CallContext& call, const RepositoryName& repository,
                                                           size_t limit, absl::string_view last) const {
  absl::StatusOr<TagPage> tags = co_await upstreams_->ListTags(call, repository, limit, last);
  if (!IsServiceDown(tags.status())) co_return tags;
  co_return co_await manifests_->ListTags(call, repository, limit, last);
}

awaitable<absl::StatusOr<ReferrerPage>> CachedContent::ListReferrers(const CallContext& call,
                                                                     const RepositoryName& repository,
                                                                     const Digest& subject,
                                                                     absl::string_view artifact_type, size_t limit,
                                                                     absl::string_view last) const {
  absl::StatusOr<std::vector<Referrer>> referrers = co_await upstreams_->ListReferrers(call, repository, subject);
  if (IsServiceDown(referrers.status())) {
    co_return co_await manifests_->ListReferrers(call, repository, subject, artifact_type, limit, last);
  }
  CO_RETURN_IF_ERROR(referrers.status());
  co_return PageOf(*std::move(referrers), artifact_type, limit, last);
}

void AddFreshness(const CachedManifest& manifest, http::Response* response) {
  if (manifest.stale_reason.empty()) return;
  std::string warning = "299 - \"";
  for (const char c : manifest.stale_reason) {
    if (c == '"' || c == '\\') warning.push_back('\\');
    warning.push_back(absl::ascii_isprint(static_cast<unsigned char>(c)) ? c : '?');
  }
  warning.push_back('"');
  response->fields.emplace_back("Warning", std::move(warning));
  response->fields.emplace_back("Age", absl::StrCat(std::max<int64_t>(0, absl::ToInt64Seconds(manifest.age))));
}

}  // namespace entrepot::gateway::api
