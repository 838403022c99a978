#ifndef ENTREPOT_SERVICES_CORE_LRU_MAP_H_
#define ENTREPOT_SERVICES_CORE_LRU_MAP_H_

#include <cstddef>
#include <list>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace entrepot {

// A map with at most `entries_max` (one or more) entries. A new entry replaces the least recently used one. Not
// thread-safe. Pointers to values are valid until their entry is removed.
template <typename Key, typename Value>
class LruMap {
 public:
  explicit LruMap(size_t entries_max) : entries_max_(entries_max) {}

  LruMap(const LruMap&) = delete;
  LruMap& operator=(const LruMap&) = delete;

  // nullptr if there is no entry. Counts as a use.
  template <typename K>
  Value* Find(const K& key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return nullptr;
    Touch(found->second);
    return &found->second->second;
  }

  // The value of the key, which is made if there is none. Counts as a use.
  Value& operator[](const Key& key) {
    if (Value* value = Find(key); value != nullptr) return *value;
    if (index_.size() == entries_max_) {
      index_.erase(entries_.back().first);
      entries_.pop_back();
    }
    entries_.emplace_front(key, Value());
    index_.emplace(key, entries_.begin());
    return entries_.front().second;
  }

  template <typename K>
  void Erase(const K& key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return;
    entries_.erase(found->second);
    index_.erase(found);
  }

  size_t size() const { return index_.size(); }

 private:
  using Entries = std::list<std::pair<Key, Value>>;

  void Touch(typename Entries::iterator entry) { entries_.splice(entries_.begin(), entries_, entry); }

  const size_t entries_max_;
  Entries entries_;  // The most recently used one first.
  absl::flat_hash_map<Key, typename Entries::iterator> index_;
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_LRU_MAP_H_
