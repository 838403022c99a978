#include "services/upstream/freshness.h"

#include <algorithm>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/memory/memory.h"
#include "absl/random/random.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "entrepot/storage/v1/upstream_records.pb.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/runtime/log/limited_log.h"
#include "services/status/status_macros.h"

namespace entrepot::upstream {
namespace {

using storage::v1::CachedTagRecord;
using storage::v1::UpstreamFormatRecord;

constexpr int kFormatVersion = 1;
constexpr char kFormatKey[] = "f/upstream";
constexpr char kTagPrefix[] = "c/";
constexpr absl::string_view kSeparator("\0", 1);
constexpr size_t kAwaitedManifestsMax = 4096;
constexpr size_t kTagsOfManifestMax = 16;

// "<repository>|<tag>", or a digest in place of the tag.
std::string Pair(const RepositoryName& repository, const std::string& of) {
  return absl::StrCat(repository.ToString(), kSeparator, of);
}

std::string RandomName() {
  absl::BitGen random;
  return absl::StrFormat("%016x", absl::Uniform<uint64_t>(random));
}

void LogFailure(absl::string_view what, const absl::Status& status) {
  runtime::LogLimited(runtime::LogLevel::kWarning, "the time of a tag's confirmation is lost", what,
                      {{"while", what}, {"error", status.ToString()}});
}

}  // namespace

absl::Duration TrustedFor(absl::Duration ttl, const RepositoryName& repository, const Tag& tag,
                          const CachedTag& known) {
  constexpr uint64_t kSteps = 1001;
  const uint64_t step =
      absl::HashOf(repository.ToString(), tag.ToString(), absl::ToUnixMicros(known.confirmed_at)) % kSteps;
  return ttl * (0.9 + 0.2 * static_cast<double>(step) / static_cast<double>(kSteps - 1));
}

Freshness::Freshness(kv::KvEngine* kv, size_t tags_in_memory_max)
    : kv_(*kv), tags_(tags_in_memory_max), awaiting_(kAwaitedManifestsMax) {}

absl::StatusOr<std::unique_ptr<Freshness>> Freshness::Open(kv::KvEngine* kv, bool shared, size_t tags_in_memory_max) {
  auto freshness = absl::WrapUnique(new Freshness(kv, tags_in_memory_max));
  RETURN_IF_ERROR(freshness->EnsureFormat());
  if (shared) absl::StrAppend(&freshness->service_id_, "-", RandomName());
  return freshness;
}

absl::Status Freshness::EnsureFormat() {
  return kv_.Transact({kv::Lock{.key = kFormatKey}}, [this](kv::KvTransaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(const std::optional<UpstreamFormatRecord> now,
                     kv::ReadRecord<UpstreamFormatRecord>(transaction, kFormatKey));
    if (now.has_value() && now->version() != kFormatVersion) {
      return absl::FailedPreconditionError(absl::StrCat("the records of the upstream service have format ",
                                                        now->version(), ", but this program knows format ",
                                                        kFormatVersion));
    }
    if (!now.has_value()) {
      ASSIGN_OR_RETURN(const std::vector<kv::KeyValue> found, transaction.Scan({.prefix = kTagPrefix, .limit = 1}));
      if (!found.empty()) {
        return absl::FailedPreconditionError(
            absl::StrCat("the records of the upstream service have no format record, yet there is ",
                         absl::CHexEscape(found.front().key)));
      }
    }
    UpstreamFormatRecord record = now.value_or(UpstreamFormatRecord());
    if (record.service_id().empty()) {
      record.set_version(kFormatVersion);
      record.set_service_id(RandomName());
      kv::WriteRecord(transaction, kFormatKey, record);
    }
    service_id_ = record.service_id();
    return absl::OkStatus();
  });
}

std::optional<CachedTag> Freshness::FindInMemory(const RepositoryName& repository, const Tag& tag) {
  const std::string pair = Pair(repository, tag.ToString());
  const absl::MutexLock lock(&mutex_);
  const std::optional<CachedTag>* const known = tags_.Find(pair);
  return known == nullptr ? std::nullopt : *known;
}

std::optional<CachedTag> Freshness::Find(const RepositoryName& repository, const Tag& tag) {
  if (std::optional<CachedTag> known = FindInMemory(repository, tag); known.has_value()) return known;
  const std::string pair = Pair(repository, tag.ToString());
  const absl::StatusOr<std::optional<CachedTagRecord>> record =
      kv::ReadRecord<CachedTagRecord>(kv_, absl::StrCat(kTagPrefix, pair));
  if (!record.ok()) {
    LogFailure("reading", record.status());
    return std::nullopt;
  }
  if (!record->has_value()) return std::nullopt;
  const absl::StatusOr<Digest> digest = Digest::Parse((*record)->digest());
  if (!digest.ok()) {
    LogFailure("reading", digest.status());
    return std::nullopt;
  }
  const CachedTag read{.digest = *digest,
                       .confirmed_at = FromTimestamp((*record)->confirmed_at()),
                       .stale_reason = (*record)->stale_reason()};
  const absl::MutexLock lock(&mutex_);
  std::optional<CachedTag>& known = tags_[pair];
  // Another thread may have heard something newer meanwhile.
  if (!known.has_value()) known = read;
  return known;
}

void Freshness::Set(const RepositoryName& repository, const Tag& tag, const CachedTag& known) {
  const std::string pair = Pair(repository, tag.ToString());
  {
    const absl::MutexLock lock(&mutex_);
    std::optional<CachedTag>& now = tags_[pair];
    const bool same = now.has_value() && now->digest == known.digest && now->confirmed_at == known.confirmed_at &&
                      now->stale_reason == known.stale_reason;
    now = known;
    if (same) return;
  }
  CachedTagRecord record;
  record.set_digest(known.digest.ToString());
  *record.mutable_confirmed_at() = ToTimestamp(known.confirmed_at);
  record.set_stale_reason(known.stale_reason);
  const std::string key = absl::StrCat(kTagPrefix, pair);
  const absl::Status written = kv_.Transact(
      {{.key = key}},
      [&](kv::KvTransaction& transaction) {
        kv::WriteRecord(transaction, key, record);
        return absl::OkStatus();
      },
      kv::Durability::kBuffered);
  if (!written.ok()) LogFailure("writing", written);
}

void Freshness::AwaitManifest(const RepositoryName& repository, const Tag& tag, const Digest& digest) {
  const absl::MutexLock lock(&mutex_);
  std::vector<Tag>& tags = awaiting_[Pair(repository, digest.ToString())];
  if (tags.size() < kTagsOfManifestMax && std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.push_back(tag);
}

std::vector<Tag> Freshness::TakeTagsOf(const RepositoryName& repository, const Digest& digest) {
  const absl::MutexLock lock(&mutex_);
  const std::string pair = Pair(repository, digest.ToString());
  std::vector<Tag>* const tags = awaiting_.Find(pair);
  if (tags == nullptr) return {};
  std::vector<Tag> taken;
  for (Tag& tag : *tags) {
    const std::optional<CachedTag>* known = tags_.Find(Pair(repository, tag.ToString()));
    if (known != nullptr && known->has_value() && (*known)->digest == digest) taken.push_back(std::move(tag));
  }
  awaiting_.Erase(pair);
  return taken;
}

}  // namespace entrepot::upstream
