#include "services/manifest/catalog/pull_notes.h"

#include <algorithm>
#include <utility>

#include "absl/hash/hash.h"

namespace entrepot::manifest {

PullNotes::Shard& PullNotes::ShardOf(absl::string_view key) {
  return shards_[absl::Hash<absl::string_view>()(key) % kShards];
}

bool PullNotes::Add(const std::string& key, absl::Time now, absl::Duration precision) {
  Shard& shard = ShardOf(key);
  absl::MutexLock lock(&shard.mutex);
  absl::Time* const noted = shard.noted.Find(key);
  if (noted != nullptr && now - *noted < precision && *noted <= now) return true;
  if (shard.waiting.size() >= kWaitingMax / kShards && !shard.waiting.contains(key)) return false;
  if (noted != nullptr) {
    *noted = now;
  } else {
    shard.noted[key] = now;
  }
  shard.waiting[key] = now;
  return true;
}

std::vector<PullNote> PullNotes::Take() {
  std::vector<PullNote> notes;
  for (Shard& shard : shards_) {
    absl::flat_hash_map<std::string, absl::Time> taken;
    {
      absl::MutexLock lock(&shard.mutex);
      taken.swap(shard.waiting);
    }
    for (auto& [key, pulled_at] : taken) notes.push_back({key, pulled_at});
  }
  return notes;
}

void PullNotes::PutBack(const std::vector<PullNote>& notes) {
  for (const PullNote& note : notes) {
    Shard& shard = ShardOf(note.key);
    absl::MutexLock lock(&shard.mutex);
    if (shard.waiting.size() >= kWaitingMax / kShards) continue;
    absl::Time& pulled_at = shard.waiting.try_emplace(note.key, note.pulled_at).first->second;
    pulled_at = std::max(pulled_at, note.pulled_at);
  }
}

}  // namespace entrepot::manifest
