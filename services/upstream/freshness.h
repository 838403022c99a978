#ifndef ENTREPOT_SERVICES_UPSTREAM_FRESHNESS_H_
#define ENTREPOT_SERVICES_UPSTREAM_FRESHNESS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/core/digest.h"
#include "services/core/lru_map.h"
#include "services/core/repository_name.h"
#include "services/core/tag.h"
#include "services/kv/kv_engine.h"

namespace entrepot::upstream {

// What an upstream last said of a tag.
struct CachedTag {
  Digest digest;
  // When it last said that the tag names the digest.
  absl::Time confirmed_at;
  // Why it could not confirm it the last time; empty if it did.
  std::string stale_reason = {};
  // Of a manifest that is not stored: what a HEAD returned. Forgotten when the process ends.
  std::string media_type = {};
  uint64_t size_bytes = 0;
};

// How long the tag is trusted after its confirmation: `ttl` less or more a tenth, so that tags that were confirmed
// together are not asked for together again. The same for each call with the same arguments.
absl::Duration TrustedFor(absl::Duration ttl, const RepositoryName& repository, const Tag& tag, const CachedTag& known);

// Remembers what upstreams said of tags: the most recently used ones in memory, all in the KV. Writes are buffered:
// what a power cut takes is asked for again. Thread-safe.
//
// Layout of the KV, version 1. FROZEN: a change needs a new version and a migration. `|` is the byte 0x00, which occurs
// in no component. Values are the messages of storage/v1/upstream_records.proto.
//
//   f/upstream                    UpstreamFormatRecord
//   c/<repository>|<tag>          CachedTagRecord
class Freshness {
 public:
  static constexpr size_t kTagsInMemoryMax = 65536;

  // Marks an empty KV with the version of the layout, and with a random service_id(). kFailedPrecondition: it has
  // another layout, or records but no mark. `kv` outlives the object.
  static absl::StatusOr<std::unique_ptr<Freshness>> Open(kv::KvEngine* kv, bool shared = false,
                                                         size_t tags_in_memory_max = kTagsInMemoryMax);

  // Names this upstream service among all that use one store. If other processes write to the same KV (`shared`),
  // another name after each start; else always the same, so that a process that restarts has its claims still.
  const std::string& service_id() const { return service_id_; }

  // nullopt: nothing is known. A record that cannot be read counts as none, and is logged.
  std::optional<CachedTag> Find(const RepositoryName& repository, const Tag& tag);
  // The same, without reading the KV: nullopt also if nothing is in memory. Never waits for the disk.
  std::optional<CachedTag> FindInMemory(const RepositoryName& repository, const Tag& tag);
  // Replaces what is known. A record that cannot be written is lost, and is logged. Writes nothing to the KV if only
  // media type and size differ.
  void Set(const RepositoryName& repository, const Tag& tag, const CachedTag& known);

  // Remembers that the tag was confirmed to name a manifest that is not stored, for TakeTagsOf(). In memory only.
  void AwaitManifest(const RepositoryName& repository, const Tag& tag, const Digest& digest);
  // The tags that await the manifest and were not confirmed to name another since; they await it no longer.
  std::vector<Tag> TakeTagsOf(const RepositoryName& repository, const Digest& digest);

 private:
  explicit Freshness(kv::KvEngine* kv, size_t tags_in_memory_max);
  absl::Status EnsureFormat();

  kv::KvEngine& kv_;
  std::string service_id_;
  absl::Mutex mutex_;
  // LruMap makes values by default; a digest has no default.
  LruMap<std::string, std::optional<CachedTag>> tags_ ABSL_GUARDED_BY(mutex_);
  LruMap<std::string, std::vector<Tag>> awaiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_FRESHNESS_H_
