#include "services/manifest/retention/repository_retention.h"

#include <optional>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/caller.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/manifest/format/referrer_tag.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/record_cursor.h"
#include "services/manifest/records/tag_record.h"
#include "services/manifest/retention/kept_tags.h"
#include "services/runtime/config/config_defaults.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using runtime::ToDuration;
using storage::v1::ManifestRecord;
using storage::v1::PullRecord;
using storage::v1::TagRecord;

// A tag of a signature stays for this long although its image is absent: a client may copy the signatures of an image
// first, and then the image.
constexpr absl::Duration kSubjectGrace = absl::Hours(1);

absl::Status Changed() { return absl::FailedPreconditionError("the image was changed meanwhile"); }
absl::Status WouldBeRemoved() { return absl::CancelledError("dry run"); }

// A caller without an account: the tag rules apply to retention as to any caller.
const Caller& System() {
  static const Caller* const system = new Caller();
  return *system;
}

// Finds an index, or another manifest of the repository, that refers to the manifest and is not in `ignored`. Another
// manifest may have found a blob of this digest when it was pushed, before the manifest with this digest came.
absl::StatusOr<std::optional<Digest>> FindIndex(kv::KvReader& kv, const RepositoryName& repository,
                                                const Digest& manifest, const std::set<Digest>& ignored) {
  RecordCursor cursor(&kv, keys::ReferencesTo(manifest, repository), "");
  for (;;) {
    ASSIGN_OR_RETURN(const kv::KeyValue* const entry, cursor.Next());
    if (entry == nullptr) return std::nullopt;
    ASSIGN_OR_RETURN(keys::Decoded key, keys::Decode(entry->key));
    if (!ignored.contains(*key.manifest)) return std::move(key.manifest);
  }
}

absl::StatusOr<std::optional<absl::Time>> ReadPull(kv::KvReader& kv, const RepositoryName& repository, const Tag& tag) {
  ASSIGN_OR_RETURN(const auto record, kv::ReadRecord<PullRecord>(kv, keys::Pull(repository, tag)));
  if (!record.has_value()) return std::nullopt;
  return FromTimestamp(record->pulled_at());
}

absl::Status CheckAbsent(kv::KvReader& kv, const RepositoryName& repository, const Digest& manifest) {
  ASSIGN_OR_RETURN(const std::optional<std::string> value, kv.Get(keys::Manifest(repository, manifest)));
  return value.has_value() ? Changed() : absl::OkStatus();
}

}  // namespace

absl::Status RepositoryRetention::Run() && {
  ASSIGN_OR_RETURN(content_, ReadRepositoryContent(*settings_.kv, repository_, *settings_.pace));
  Index();
  if (settings_.rule->has_keep()) RETURN_IF_ERROR(RemoveTags());
  if (settings_.rule->has_untagged_after()) RETURN_IF_ERROR(RemoveManifests());
  return first_failure_;
}

void RepositoryRetention::Index() {
  for (const TagState& tag : content_.tags) {
    ++tag_counts_[tag.digest];
    if (std::optional<Digest> subject = SubjectOfTag(tag.tag)) referrer_tags_.emplace(*std::move(subject), &tag);
  }
  for (const auto& [digest, manifest] : content_.manifests) {
    if (manifest.subject.has_value()) referrers_.emplace(*manifest.subject, digest);
  }
}

absl::Status RepositoryRetention::RemoveTags() {
  std::vector<const TagState*> tags;
  for (const TagState& tag : content_.tags) {
    if (!SubjectOfTag(tag.tag).has_value()) tags.push_back(&tag);
  }
  const std::vector<bool> kept = KeptTags(settings_.rule->keep(), tags, settings_.now, settings_.pulls_known_since);
  const std::string reason = Reason(DescribeKeep(settings_.rule->keep()));
  for (size_t i = 0; i < tags.size(); ++i) {
    if (!kept[i]) RETURN_IF_ERROR(TryTag(*tags[i], TagUnchanged(*tags[i]), reason));
  }
  for (const auto& [subject, tag] : referrer_tags_) {
    if (Exists(subject) || settings_.now - tag->pushed_at < kSubjectGrace) continue;
    RETURN_IF_ERROR(TryReferrerTag(*tag, subject));
  }
  return absl::OkStatus();
}

absl::Status RepositoryRetention::RemoveManifests() {
  for (const auto& [digest, manifest] : content_.manifests) to_visit_.push_back(digest);
  while (!to_visit_.empty()) {
    const Digest digest = std::move(to_visit_.front());
    to_visit_.pop_front();
    RETURN_IF_ERROR(TryManifest(digest));
  }
  return absl::OkStatus();
}

absl::Status RepositoryRetention::TryTag(const TagState& tag, const DeletionCondition& condition,
                                         const std::string& reason) {
  ASSIGN_OR_RETURN(const bool gone, Delete(tag.tag, condition));
  if (!gone) return absl::OkStatus();
  outcome_.tag_removed(absl::StrCat("tag ", tag.tag.ToString()), reason);
  --tag_counts_[tag.digest];
  return absl::OkStatus();
}

absl::Status RepositoryRetention::TryReferrerTag(const TagState& tag, const Digest& subject) {
  DeletionCondition condition = TagUnchanged(tag);
  condition.manifests_held.push_back(subject);
  condition.check = [this, &subject, unchanged = std::move(condition.check)](kv::KvReader& kv) -> absl::Status {
    RETURN_IF_ERROR(unchanged(kv));
    return settings_.dry_run ? absl::OkStatus() : CheckAbsent(kv, repository_, subject);
  };
  return TryTag(tag, condition,
                Reason(absl::StrCat("the manifest that it belongs to does not exist: ", subject.ToString())));
}

absl::Status RepositoryRetention::TryManifest(const Digest& digest) {
  if (!Exists(digest) || tag_counts_[digest] > 0) return absl::OkStatus();
  const ManifestState& manifest = content_.manifests.at(digest);
  if (manifest.subject.has_value() && Exists(*manifest.subject)) return absl::OkStatus();
  const bool subject_removed = manifest.subject.has_value() && removed_.contains(*manifest.subject);
  const absl::Duration age_max = ToDuration(settings_.rule->untagged_after());
  if (!subject_removed && settings_.now - manifest.pushed_at < age_max) return absl::OkStatus();
  ASSIGN_OR_RETURN(const bool listed, IsListed(digest));
  if (listed) return absl::OkStatus();

  ASSIGN_OR_RETURN(const bool gone, Delete(digest, StillUnneeded(digest, manifest)));
  if (!gone) return absl::OkStatus();
  outcome_.manifest_removed(
      absl::StrCat("manifest ", digest.ToString()),
      Reason(subject_removed ? absl::StrCat("its subject was removed: ", manifest.subject->ToString())
                             : absl::StrCat("no tag, pushed more than ", absl::FormatDuration(age_max), " ago")));
  return Removed(digest);
}

absl::Status RepositoryRetention::Removed(const Digest& digest) {
  removed_.insert(digest);
  const auto [first_waiting, last_waiting] = waiting_.equal_range(digest);
  for (auto waiting = first_waiting; waiting != last_waiting; ++waiting) to_visit_.push_back(waiting->second);
  const auto [first_referrer, last_referrer] = referrers_.equal_range(digest);
  for (auto referrer = first_referrer; referrer != last_referrer; ++referrer) to_visit_.push_back(referrer->second);
  if (!settings_.rule->has_keep()) return absl::OkStatus();
  const auto [first_tag, last_tag] = referrer_tags_.equal_range(digest);
  for (auto tag = first_tag; tag != last_tag; ++tag) {
    RETURN_IF_ERROR(TryReferrerTag(*tag->second, digest));
    to_visit_.push_back(tag->second->digest);
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> RepositoryRetention::Delete(const Reference& reference, const DeletionCondition& condition) {
  if (!(*settings_.pace)(1, 0)) return absl::CancelledError("stopped before the end");
  DeletionCondition asked = condition;
  if (settings_.dry_run) {
    asked.check = [&condition](kv::KvReader& kv) -> absl::Status {
      if (condition.check) RETURN_IF_ERROR(condition.check(kv));
      return WouldBeRemoved();
    };
  }
  absl::Status status = settings_.catalog->manifests().Delete(System(), repository_, reference, asked);
  if (status.ok() || (settings_.dry_run && status == WouldBeRemoved())) return true;
  if (absl::IsPermissionDenied(status)) outcome_.kept_immutable();
  const bool stays = absl::IsPermissionDenied(status) || absl::IsFailedPrecondition(status) || absl::IsNotFound(status);
  if (absl::IsCancelled(status)) return status;
  // What cannot be removed stays, and keeps nothing else from being removed.
  if (!stays) first_failure_.Update(status);
  return false;
}

DeletionCondition RepositoryRetention::TagUnchanged(const TagState& tag) const {
  DeletionCondition condition;
  condition.check = [this, &tag](kv::KvReader& kv) -> absl::Status {
    ASSIGN_OR_RETURN(const auto record, kv::ReadRecord<TagRecord>(kv, keys::Tag(repository_, tag.tag)));
    const bool same = record.has_value() && record->digest() == tag.digest.ToString() &&
                      FromTimestamp(record->pushed_at()) == tag.pushed_at;
    if (!same) return Changed();
    if (!settings_.rule->keep().has_pulled_within()) return absl::OkStatus();
    ASSIGN_OR_RETURN(const std::optional<absl::Time> pulled_at, ReadPull(kv, repository_, tag.tag));
    return pulled_at == tag.pulled_at ? absl::OkStatus() : Changed();
  };
  return condition;
}

DeletionCondition RepositoryRetention::StillUnneeded(const Digest& digest, const ManifestState& manifest) const {
  DeletionCondition condition;
  // A dry run removes nothing, so content that the run has counted as removed would fail the condition.
  if (settings_.dry_run) return condition;
  if (manifest.subject.has_value()) condition.manifests_held.push_back(*manifest.subject);
  condition.check = [this, &digest, &manifest](kv::KvReader& kv) -> absl::Status {
    ASSIGN_OR_RETURN(const auto record, kv::ReadRecord<ManifestRecord>(kv, keys::Manifest(repository_, digest)));
    if (!record.has_value() || FromTimestamp(record->pushed_at()) != manifest.pushed_at) return Changed();
    ASSIGN_OR_RETURN(const std::set<Tag> tags, TagsOfManifest(kv, repository_, digest));
    if (!tags.empty()) return Changed();
    ASSIGN_OR_RETURN(const std::optional<Digest> index, FindIndex(kv, repository_, digest, {}));
    if (index.has_value()) return Changed();
    return manifest.subject.has_value() ? CheckAbsent(kv, repository_, *manifest.subject) : absl::OkStatus();
  };
  return condition;
}

bool RepositoryRetention::Exists(const Digest& manifest) const {
  return content_.manifests.contains(manifest) && !removed_.contains(manifest);
}

absl::StatusOr<bool> RepositoryRetention::IsListed(const Digest& digest) {
  ASSIGN_OR_RETURN(const std::optional<Digest> index, FindIndex(*settings_.kv, repository_, digest, removed_));
  if (index.has_value()) waiting_.emplace(*index, digest);
  return index.has_value();
}

std::string RepositoryRetention::Reason(absl::string_view why) const {
  return absl::StrCat(settings_.rule_name, " (", why, ")");
}

}  // namespace entrepot::manifest
