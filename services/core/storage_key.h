#ifndef ENTREPOT_SERVICES_CORE_STORAGE_KEY_H_
#define ENTREPOT_SERVICES_CORE_STORAGE_KEY_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entrepot {

// The kind of store that keeps an object.
enum class StorageTier { kFile, kKv };

// The key of a stored object. It is opaque outside the blob service, belongs to one upload, and is never reused. The
// first letter is the tier: `f` for a file, `k` for a value in the KV. Immutable.
class StorageKey {
 public:
  // A new random key. Thread-safe.
  static StorageKey Random(StorageTier tier);

  // Accepts `[fk]` followed by 32 lower-case hex digits; else kInvalidArgument.
  static absl::StatusOr<StorageKey> Parse(absl::string_view text);

  const std::string& ToString() const { return text_; }
  StorageTier tier() const;

  friend bool operator==(const StorageKey& a, const StorageKey& b) { return a.text_ == b.text_; }
  friend bool operator<(const StorageKey& a, const StorageKey& b) { return a.text_ < b.text_; }

 private:
  explicit StorageKey(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_STORAGE_KEY_H_
