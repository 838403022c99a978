#include "tests/simulation/model.h"

#include <algorithm>

#include "absl/algorithm/container.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/manifest/records/metadata_keys.h"

namespace entrepot::simulation {
namespace {

namespace keys = manifest::keys;

// The value of a manifest's register while the manifest exists.
constexpr char kExists[] = "exists";

template <typename Record>
std::optional<Record> Find(kv::KvReader& committed, const std::string& key) {
  const std::optional<std::string> value = committed.Get(key).value();
  if (!value.has_value()) return std::nullopt;
  Record record;
  if (!record.ParseFromString(*value)) return std::nullopt;
  return record;
}

struct Need {
  std::string key;
  // Absent if the manifest needs it directly, otherwise the blob of a child.
  std::optional<size_t> blob_of_child;
};

// The manifest, the links of its blobs, its children and the links of theirs.
std::vector<Need> NeededBy(const RepositoryName& repository, const SomeManifest& manifest) {
  const Content& content = Content::Get();
  const auto link = [&](size_t blob) { return keys::Link(content.blobs[blob].digest, repository); };
  std::vector<Need> needed = {{keys::Manifest(repository, manifest.digest), std::nullopt}};
  for (const size_t blob : manifest.blobs) needed.push_back({link(blob), std::nullopt});
  for (const size_t child : manifest.manifests) {
    needed.push_back({keys::Manifest(repository, content.manifests[child].digest), std::nullopt});
    for (const size_t blob : content.manifests[child].blobs) needed.push_back({link(blob), blob});
  }
  return needed;
}

}  // namespace

Model::Model(SimulatedClock* clock, absl::Duration promise, bool guarded)
    : clock_(clock), promise_(promise), guarded_(guarded), rotten_(Content::Get().blobs.size()) {
  const Content& content = Content::Get();
  for (size_t repository = 0; repository < content.repositories.size(); ++repository) {
    for (size_t tag = 0; tag < content.tags.size(); ++tag) tags_[{repository, tag}];
    for (size_t each = 0; each < content.manifests.size(); ++each) manifests_[{repository, each}];
  }
}

std::unique_ptr<Model::Call> Model::BlobCall(size_t repository, size_t blob) {
  std::unique_ptr<Call> call = Begin();
  call->promises_ = Place(repository, blob);
  return call;
}

std::unique_ptr<Model::Call> Model::LinkCall(size_t repository, size_t blob) {
  std::unique_ptr<Call> call = BlobCall(repository, blob);
  call->links_ = true;
  links_under_way_.insert(call.get());
  return call;
}

std::unique_ptr<Model::Call> Model::Unlink(size_t repository, size_t blob) {
  std::unique_ptr<Call> call = Begin();
  AddUnlink(*call, {repository, blob});
  return call;
}

void Model::AddUnlink(Call& call, Place link) {
  LinkState& state = links_[link];
  ++state.unlinks_under_way;
  state.last_unlink = call.begin_;
  promises_.erase(link);
  call.unlinks_.push_back(link);
}

void Model::AddDeletion(Call& call, Place manifest) {
  ManifestState& state = manifest_states_[manifest];
  ++state.deletions_under_way;
  state.last_deletion = call.begin_;
  call.deletions_.push_back(manifest);
  AddWrite(call, manifests_[manifest], "");
}

std::unique_ptr<Model::Call> Model::PutManifest(size_t repository, size_t manifest, std::optional<size_t> tag,
                                                bool cached) {
  const SomeManifest& put = Content::Get().manifests[manifest];
  std::unique_ptr<Call> call = Begin();
  call->cached_ = cached;
  call->put_ = Place(repository, manifest);
  AddWrite(*call, manifests_[*call->put_], kExists);
  if (tag.has_value()) AddWrite(*call, tags_[{repository, *tag}], put.digest.ToString());
  for (const size_t blob : put.blobs) {
    const auto promise = promises_.find({repository, blob});
    if (promise != promises_.end()) call->relies_on_.emplace_back(promise->first, promise->second.id);
  }
  return call;
}

std::unique_ptr<Model::Call> Model::DeleteManifest(size_t repository, size_t manifest) {
  std::unique_ptr<Call> call = Begin();
  AddDeletion(*call, {repository, manifest});
  // The deletion removes its tags. Which tags these are depends on the order of concurrent calls.
  for (size_t tag = 0; tag < Content::Get().tags.size(); ++tag) {
    AddWrite(*call, tags_[{repository, tag}], "", /*overwrites=*/false);
  }
  return call;
}

std::unique_ptr<Model::Call> Model::DeleteTag(size_t repository, size_t tag) {
  std::unique_ptr<Call> call = Begin();
  AddWrite(*call, tags_[{repository, tag}], "");
  return call;
}

std::unique_ptr<Model::Call> Model::DeleteRepository(size_t repository) {
  const Content& content = Content::Get();
  std::unique_ptr<Call> call = Begin();
  for (size_t blob = 0; blob < content.blobs.size(); ++blob) AddUnlink(*call, {repository, blob});
  for (size_t each = 0; each < content.manifests.size(); ++each) AddDeletion(*call, {repository, each});
  for (size_t tag = 0; tag < content.tags.size(); ++tag) AddWrite(*call, tags_[{repository, tag}], "");
  return call;
}

std::unique_ptr<Model::Call> Model::Evict() {
  const Content& content = Content::Get();
  std::unique_ptr<Call> call = Begin();
  for (size_t repository = 0; repository < content.repositories.size(); ++repository) {
    if (!content.IsCache(repository)) continue;
    for (size_t each = 0; each < content.manifests.size(); ++each) {
      ManifestState& state = manifest_states_[{repository, each}];
      ++state.evictions_under_way;
      state.last_deletion = call->begin_;
      call->evictions_.emplace_back(repository, each);
      AddWrite(*call, manifests_[{repository, each}], "", /*overwrites=*/false);
    }
    for (size_t tag = 0; tag < content.tags.size(); ++tag) {
      AddWrite(*call, tags_[{repository, tag}], "", /*overwrites=*/false);
    }
  }
  return call;
}

void Model::ForgetSeen() {
  for (auto& [place, state] : manifest_states_) state.seen_hosted = false;
}

void Model::Call::End(Outcome outcome) {
  const uint64_t end = ++model_.now_;
  for (Register::Write* const write : writes_) {
    write->end = end;
    write->acknowledged = outcome == Outcome::kDone;
    write->refused = outcome == Outcome::kRefused;
  }
  for (const Place& link : unlinks_) {
    --model_.links_[link].unlinks_under_way;
    model_.links_[link].last_unlink = end;
  }
  for (const Place& manifest : deletions_) {
    --model_.manifest_states_[manifest].deletions_under_way;
    model_.manifest_states_[manifest].last_deletion = end;
  }
  for (const Place& manifest : evictions_) {
    --model_.manifest_states_[manifest].evictions_under_way;
    model_.manifest_states_[manifest].last_deletion = end;
  }
  if (links_) {
    model_.links_under_way_.erase(this);
    if (outcome != Outcome::kRefused && model_.MayLink(*this)) model_.arrivals_.insert(*promises_);
  }
  if (outcome != Outcome::kDone) return;
  if (put_.has_value()) {
    ManifestState& state = model_.manifest_states_[*put_];
    state.put_begin = begin_;
    state.put_end = end;
    state.found = model_.MustHaveFound(*this);
  }
  if (promises_.has_value()) model_.EndPromise(*this);
}

void Model::EndPromise(Call& call) {
  links_[*call.promises_].acknowledged_begin = call.begin_;
  links_[*call.promises_].acknowledged_end = now_;
  const absl::Time until = call.span_.least() + promise_;
  const absl::Time latest = std::max({call.span_.greatest(), call.reviews_until_, review_time_()});
  const bool holds =
      !Disturbed(links_[*call.promises_], call.begin_) && latest < until && !rotten_[call.promises_->second];
  if (!holds) return;
  const absl::Duration by_clock = EndByClock(until);
  promises_[*call.promises_] = {now_, until, guarded_ ? std::min(call.begun_after_ + promise_, by_clock) : by_clock};
}

void Model::TimePassed() {
  std::erase_if(promises_, [&](const auto& promise) { return promise.second.ends <= clock_->Passed(); });
}

void Model::ClockCounts() {
  for (auto& [place, promise] : promises_) {
    const absl::Duration by_clock = EndByClock(promise.until);
    promise.ends = guarded_ ? std::min(promise.ends, by_clock) : by_clock;
  }
  TimePassed();
}

bool Model::WasPromised(const Call& call) const {
  const SomeManifest& put = Content::Get().manifests[call.put_->second];
  return put.manifests.empty() && PromisedTo(call).size() == put.blobs.size();
}

std::set<size_t> Model::PromisedTo(const Call& put) const {
  std::set<size_t> blobs;
  for (const auto& [place, id] : put.relies_on_) {
    const auto promise = promises_.find(place);
    const bool holds = promise != promises_.end() && promise->second.id == id && !rotten_[place.second];
    if (holds) blobs.insert(place.second);
  }
  return blobs;
}

std::set<size_t> Model::MustHaveFound(const Call& put) const {
  if (put.cached_) return PromisedTo(put);
  const std::vector<size_t>& blobs = Content::Get().manifests[put.put_->second].blobs;
  if (!Content::Get().MayBeIncomplete(put.put_->first)) return {blobs.begin(), blobs.end()};
  std::set<size_t> found = PromisedTo(put);
  // The config, which must never be absent.
  if (!blobs.empty()) found.insert(blobs.front());
  return found;
}

void Model::MayArrive(size_t repository, size_t blob, bool cached) {
  arrivals_.insert({repository, blob});
  if (cached) fetched_.insert({repository, blob});
}

bool Model::BlobMayBe(size_t repository, size_t blob) const {
  const Place place(repository, blob);
  if (arrivals_.contains(place)) return true;
  return absl::c_any_of(links_under_way_, [&](const Call* call) { return call->promises_ == place && MayLink(*call); });
}

bool Model::MayLink(const Call& call) const {
  const auto [repository, blob] = *call.promises_;
  const bool fetched = absl::c_any_of(fetched_, [&, repository = repository, blob = blob](const Place& place) {
    return place.first != repository && place.second == blob;
  });
  if (!fetched) return false;
  const std::vector<SomeManifest>& manifests = Content::Get().manifests;
  for (size_t i = 0; i < manifests.size(); ++i) {
    if (absl::c_linear_search(manifests[i].blobs, blob) && ManifestMayBe(call, repository, i, true)) return true;
  }
  return false;
}

bool Model::TagMayBe(const Call& call, size_t repository, size_t tag, const std::string& digest) const {
  return tags_.at({repository, tag}).Allows(digest, call.begin_, now_);
}

bool Model::ManifestMayBe(const Call& call, size_t repository, size_t manifest, bool there) const {
  return manifests_.at({repository, manifest}).Allows(there ? kExists : "", call.begin_, now_);
}

bool Model::ManifestIsWhole(const Call& call, size_t repository, size_t manifest) const {
  const auto found = manifest_states_.find({repository, manifest});
  if (found == manifest_states_.end()) return false;
  const ManifestState& state = found->second;
  if (state.put_begin == 0 || state.put_end > call.begin_) return false;
  if (state.deletions_under_way > 0 || state.evictions_under_way > 0 || state.last_deletion >= state.put_begin)
    return false;
  for (const size_t blob : Content::Get().manifests[manifest].blobs) {
    const auto link = links_.find({repository, blob});
    if (!HasArrived(call, state, blob, link != links_.end() ? link->second : LinkState())) return false;
    if (rotten_[blob]) return false;
  }
  return true;
}

bool Model::HasArrived(const Call& read, const ManifestState& manifest, size_t blob, const LinkState& link) const {
  if (manifest.found.contains(blob) && !Disturbed(link, manifest.put_begin)) return true;
  const bool acknowledged = link.acknowledged_begin > manifest.put_end && link.acknowledged_end < read.begin_;
  return acknowledged && !Disturbed(link, link.acknowledged_begin);
}

std::optional<std::string> Model::CheckImmutable(kv::KvReader& committed) {
  const Content& content = Content::Get();
  const RepositoryName& repository = content.repositories[Content::kImmutableRepository];
  const auto record = Find<storage::v1::RepositoryRecord>(committed, keys::Repository(repository));
  const bool there = record.has_value() && !record->deleted();
  for (const Tag& name : content.tags) {
    const auto tag = Find<storage::v1::TagRecord>(committed, keys::Tag(repository, name));
    const std::string digest = there && tag.has_value() ? tag->digest() : "";
    std::string& first = immutable_[name.ToString()];
    if (!first.empty() && digest != first) {
      return absl::StrCat("tags: the immutable tag ", name.ToString(), " names ", digest.empty() ? "nothing" : digest,
                          " instead of ", first);
    }
    first = digest;
    for (const SomeManifest& manifest : content.manifests) {
      if (manifest.digest.ToString() != digest) continue;
      for (const auto& [key, blob_of_child] : NeededBy(repository, manifest)) {
        // A child may have lost a blob before the tag was made: an index is checked only for its children.
        const bool may_lack = blob_of_child.has_value() && !kept_.contains(key);
        if (!committed.Get(key)->has_value()) {
          if (may_lack) continue;
          return absl::StrCat("tags: the immutable tag ", name.ToString(), " needs ", absl::CHexEscape(key),
                              ", which was removed");
        }
        // A removal that is under way may have come before the tag.
        if (!may_lack || links_[{Content::kImmutableRepository, *blob_of_child}].unlinks_under_way == 0) {
          kept_.insert(key);
        }
      }
    }
  }
  return std::nullopt;
}

std::optional<std::string> Model::Check(kv::KvReader& committed) {
  const Content& content = Content::Get();
  std::vector<bool> there, is_cache;
  for (const RepositoryName& name : content.repositories) {
    const auto record = Find<storage::v1::RepositoryRecord>(committed, keys::Repository(name));
    there.push_back(record.has_value() && !record->deleted());
    is_cache.push_back(record.has_value() && !record->cache_of().empty());
  }
  const uint64_t now = ++now_;
  for (const auto& [place, name] : tags_) {
    const RepositoryName& repository = content.repositories[place.first];
    std::optional<storage::v1::TagRecord> tag;
    if (there[place.first]) {
      tag = Find<storage::v1::TagRecord>(committed, keys::Tag(repository, content.tags[place.second]));
    }
    const std::string digest = tag.has_value() ? tag->digest() : "";
    if (name.Allows(digest, now, now)) continue;
    return absl::StrCat("I6: the tag ", repository.ToString(), ":", content.tags[place.second].ToString(), " names ",
                        digest.empty() ? "nothing" : digest, ", which is not what was acknowledged");
  }
  for (const auto& [place, name] : manifests_) {
    const RepositoryName& repository = content.repositories[place.first];
    const Digest& digest = content.manifests[place.second].digest;
    const bool found = there[place.first] && committed.Get(keys::Manifest(repository, digest))->has_value();
    ManifestState& state = manifest_states_[place];
    if (state.seen_hosted && !found && state.deletions_under_way == 0) {
      return absl::StrCat("eviction: the hosted repository ", repository.ToString(), " lost ", digest.ToString());
    }
    state.seen_hosted = found && !is_cache[place.first];
    if (name.Allows(found ? kExists : "", now, now)) continue;
    return absl::StrCat("I6: the manifest ", repository.ToString(), "@", digest.ToString(),
                        found ? " exists although it was deleted" : " does not exist although no call deleted it");
  }
  for (size_t i = 0; i < content.repositories.size(); ++i) {
    if (content.MayBeIncomplete(i) || is_cache[i]) continue;
    const auto is_absent = [&](const Digest& need, const Digest& manifest) {
      const auto reference =
          Find<storage::v1::ReferenceRecord>(committed, keys::Reference(need, content.repositories[i], manifest));
      return reference.has_value() && reference->absent();
    };
    for (const SomeManifest& each : content.manifests) {
      const bool incomplete =
          absl::c_any_of(each.blobs, [&](size_t blob) { return is_absent(content.blobs[blob].digest, each.digest); }) ||
          absl::c_any_of(each.manifests,
                         [&](size_t child) { return is_absent(content.manifests[child].digest, each.digest); });
      if (!incomplete) continue;
      return absl::StrCat("I1: ", content.repositories[i].ToString(), " accepted ", each.digest.ToString(),
                          " without all that it refers to");
    }
  }
  for (const auto& [place, promise] : promises_) {
    const RepositoryName& repository = content.repositories[place.first];
    const Digest& digest = content.blobs[place.second].digest;
    const auto blob = Find<storage::v1::BlobRecord>(committed, keys::Blob(digest));
    const bool live = blob.has_value() && blob->state() == storage::v1::BlobRecord::LIVE;
    if (live && there[place.first] && committed.Get(keys::Link(digest, repository))->has_value()) continue;
    if (rotten_[place.second]) continue;
    return absl::StrCat("I3: the blob ", digest.ToString(), " was acknowledged in ", repository.ToString(),
                        " and its lease is not over, but it is ", live ? "not linked" : "not LIVE");
  }
  return std::nullopt;
}

}  // namespace entrepot::simulation
