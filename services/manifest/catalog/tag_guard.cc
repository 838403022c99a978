#include "services/manifest/catalog/tag_guard.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/record_cursor.h"
#include "services/manifest/records/tag_record.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {

TagGuard::TagGuard(const PolicyProvider& policy, const Caller& caller, const RepositoryName* repository)
    : policy_(policy ? policy() : nullptr),
      caller_(policy_ != nullptr ? policy::Subject{caller.account, caller.groups} : policy::Subject()),
      repository_(*repository) {}

bool TagGuard::MayProtectFromAny() const { return policy_ != nullptr && rules().MayForbidAny(repository_); }

bool TagGuard::MayProtect() const { return policy_ != nullptr && rules().MayForbid(caller_, repository_); }

std::optional<TagGuard::Protection> TagGuard::ProtectionOf(const Tag& tag) const {
  if (policy_ == nullptr) return std::nullopt;
  if (auto rule = rules().Immutable(repository_, tag)) return Protection{*std::move(rule), /*is_immutable=*/true};
  if (auto rule = rules().CreateOnly(caller_, repository_, tag)) return Protection{*std::move(rule)};
  return std::nullopt;
}

absl::Status TagGuard::CheckChange(const Tag& tag, absl::string_view consequence) const {
  const std::optional<Protection> protection = ProtectionOf(tag);
  if (!protection.has_value()) return absl::OkStatus();
  return OciError(
      OciErrorCode::kDenied,
      absl::StrCat("the tag ", repository_.ToString(), ":", tag.ToString(),
                   protection->is_immutable ? " is immutable" : " exists, and you may only create tags here", ": ",
                   consequence),
      protection->rule);
}

absl::Status TagGuard::CheckPush(kv::KvReader& transaction, const Tag& tag, const Digest& manifest) const {
  if (policy_ == nullptr) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::optional<Digest> before, ReadTag(transaction, repository_, tag));
  if (!before.has_value() || *before == manifest) return absl::OkStatus();
  return CheckChange(tag, "a push cannot make it name another manifest");
}

absl::Status TagGuard::CheckDeletionOf(kv::KvReader& transaction, const Digest& manifest,
                                       const std::set<Tag>& tags) const {
  if (!MayProtect()) return absl::OkStatus();
  for (const Tag& tag : tags) RETURN_IF_ERROR(CheckDeletion(tag));
  ASSIGN_OR_RETURN(std::set<Digest> indexes, ManifestsReferringTo(transaction, manifest));
  return CheckNotNeeded(transaction, std::move(indexes), manifest);
}

absl::Status TagGuard::CheckUnlinkOf(kv::KvReader& transaction, const Digest& blob) const {
  if (!MayProtect()) return absl::OkStatus();
  ASSIGN_OR_RETURN(std::set<Digest> manifests, ManifestsReferringTo(transaction, blob));
  return CheckNotNeeded(transaction, std::move(manifests), blob);
}

absl::Status TagGuard::CheckDeletionOfAll(kv::KvReader& kv) const {
  if (!MayProtect()) return absl::OkStatus();
  RecordCursor cursor(&kv, keys::TagsOf(repository_), "");
  for (;;) {
    ASSIGN_OR_RETURN(const kv::KeyValue* const entry, cursor.Next());
    if (entry == nullptr) return absl::OkStatus();
    ASSIGN_OR_RETURN(const keys::Decoded key, keys::Decode(entry->key));
    RETURN_IF_ERROR(CheckDeletion(*key.tag));
  }
}

absl::Status TagGuard::CheckNotNeeded(kv::KvReader& transaction, std::set<Digest> manifests,
                                      const Digest& removed) const {
  std::vector<Digest> to_visit(manifests.begin(), manifests.end());
  while (!to_visit.empty()) {
    const Digest digest = std::move(to_visit.back());
    to_visit.pop_back();
    ASSIGN_OR_RETURN(const std::set<Tag> tags, TagsOfManifest(transaction, repository_, digest));
    for (const Tag& tag : tags) {
      const std::optional<Protection> protection = ProtectionOf(tag);
      if (!protection.has_value()) continue;
      const std::string name = absl::StrCat(repository_.ToString(), ":", tag.ToString());
      return OciError(OciErrorCode::kDenied,
                      absl::StrCat("the ", protection->is_immutable ? "immutable " : "", "tag ", name,
                                   protection->is_immutable ? "" : ", which you may only create,", " needs ",
                                   removed.ToString(), ": it cannot be deleted"),
                      protection->rule);
    }
    ASSIGN_OR_RETURN(const std::set<Digest> indexes, ManifestsReferringTo(transaction, digest));
    for (const Digest& index : indexes) {
      if (manifests.insert(index).second) to_visit.push_back(index);
    }
    if (manifests.size() <= kVisitedMax) continue;
    return OciError(OciErrorCode::kDenied, absl::StrCat("too many manifests refer to ", removed.ToString(),
                                                        " to check whether a protected tag needs it"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::set<Digest>> TagGuard::ManifestsReferringTo(kv::KvReader& transaction, const Digest& digest) const {
  std::set<Digest> manifests;
  RecordCursor cursor(&transaction, keys::ReferencesTo(digest, repository_), "");
  while (manifests.size() <= kVisitedMax) {
    ASSIGN_OR_RETURN(const kv::KeyValue* const entry, cursor.Next());
    if (entry == nullptr) break;
    ASSIGN_OR_RETURN(keys::Decoded key, keys::Decode(entry->key));
    manifests.insert(*std::move(key.manifest));
  }
  return manifests;
}

}  // namespace entrepot::manifest
