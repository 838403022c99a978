#include "services/runtime/heap.h"

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace entrepot::runtime {
namespace {

constexpr size_t kMib = size_t{1} << 20;

size_t ResidentBytes() {
  FILE* const file = std::fopen("/proc/self/statm", "re");
  size_t size = 0;
  size_t resident = 0;
  EXPECT_EQ(std::fscanf(file, "%zu %zu", &size, &resident), 2);
  std::fclose(file);
  return resident * 4096;
}

TEST(HeapTest, GivesBackWhatABurstOfSmallBlocksLeaves) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer replaces the heap";
#endif
  BoundHeap();
  HeapTrim trim;
  trim.TrimIfWorthIt();
  const size_t before = ResidentBytes();
  std::vector<std::unique_ptr<std::string>> blocks;
  for (size_t i = 0; i < 256 * 1024; ++i) blocks.push_back(std::make_unique<std::string>(1000, 'x'));
  EXPECT_FALSE(trim.TrimIfWorthIt()) << "all of it is in use";
  // A block that stays at the end keeps the heap from shrinking by itself.
  blocks.front().swap(blocks.back());
  blocks.resize(1);
  ASSERT_GT(ResidentBytes(), before + 128 * kMib);
  EXPECT_TRUE(trim.TrimIfWorthIt());
  EXPECT_LT(ResidentBytes(), before + 32 * kMib);
  EXPECT_FALSE(trim.TrimIfWorthIt()) << "nothing is left";
}

}  // namespace
}  // namespace entrepot::runtime
