#include "services/core/storage_key.h"

#include <string>

#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot {
namespace {

TEST(StorageKeyTest, RandomKeysKeepTheirTierAndDiffer) {
  for (StorageTier tier : {StorageTier::kFile, StorageTier::kKv}) {
    const StorageKey key = StorageKey::Random(tier);
    EXPECT_EQ(key.tier(), tier);
    ASSERT_OK_AND_ASSIGN(const StorageKey parsed, StorageKey::Parse(key.ToString()));
    EXPECT_EQ(parsed, key);
    EXPECT_EQ(parsed.tier(), tier);
    EXPECT_FALSE(key == StorageKey::Random(tier));
  }
}

TEST(StorageKeyTest, RefusesEverythingElse) {
  const std::string hex(32, 'a');
  for (const std::string& text : {std::string(), std::string("f"), hex, "g" + hex, "F" + hex, "f" + hex + "a",
                                  "f" + hex.substr(1), "f" + std::string(32, 'A'), "f../" + hex.substr(3)}) {
    EXPECT_THAT(StorageKey::Parse(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  }
}

}  // namespace
}  // namespace entrepot
