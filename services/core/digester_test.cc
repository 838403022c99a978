#include "services/core/digester.h"

#include <cstddef>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot {
namespace {

using enum DigestAlgorithm;

// Not periodic in 64 or 128 bytes, so that mixed-up blocks are found.
std::string Bytes(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 131 + i / 251);
  return bytes;
}

// The examples of NIST's "Secure Hash Standard" test vectors.
TEST(DigesterTest, KnownAnswers) {
  EXPECT_EQ(ComputeDigest(kSha256, "").hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(ComputeDigest(kSha256, "abc").hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(ComputeDigest(kSha256, std::string(1'000'000, 'a')).hex(),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  EXPECT_EQ(ComputeDigest(kSha512, "").hex(),
            "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
            "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e");
  EXPECT_EQ(ComputeDigest(kSha512, "abc").hex(),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

class DigesterOfAlgorithmTest : public ::testing::TestWithParam<DigestAlgorithm> {};
INSTANTIATE_TEST_SUITE_P(BothAlgorithms, DigesterOfAlgorithmTest, ::testing::Values(kSha256, kSha512),
                         [](const auto& info) { return std::string(DigestAlgorithmName(info.param)); });

TEST_P(DigesterOfAlgorithmTest, ContinuesFromASavedStateAtEveryOffset) {
  const std::string bytes = Bytes(300);
  const Digest whole = ComputeDigest(GetParam(), bytes);
  for (size_t split = 0; split <= bytes.size(); ++split) {
    Digester first(GetParam());
    first.Update(absl::string_view(bytes).substr(0, split));
    ASSERT_OK_AND_ASSIGN(Digester second, Digester::Restore(first.Save()));
    EXPECT_EQ(second.length_bytes(), split);
    EXPECT_EQ(second.Save(), first.Save());
    second.Update(absl::string_view(bytes).substr(split));
    EXPECT_EQ(second.Current(), whole) << split;
  }
}

TEST_P(DigesterOfAlgorithmTest, ContinuesAfterCurrent) {
  const std::string bytes = Bytes(1000);
  Digester digester(GetParam());
  digester.Update(absl::string_view(bytes).substr(0, 77));
  EXPECT_EQ(digester.Current(), ComputeDigest(GetParam(), absl::string_view(bytes).substr(0, 77)));
  digester.Update(absl::string_view(bytes).substr(77));
  EXPECT_EQ(digester.Current(), ComputeDigest(GetParam(), bytes));
}

TEST_P(DigesterOfAlgorithmTest, KeepsAlgorithmAndLength) {
  Digester digester(GetParam());
  EXPECT_EQ(digester.algorithm(), GetParam());
  EXPECT_EQ(digester.length_bytes(), 0);
  digester.Update(Bytes(1000));
  digester.Update("");
  EXPECT_EQ(digester.length_bytes(), 1000);
  const Digester moved = std::move(digester);
  EXPECT_EQ(moved.length_bytes(), 1000);
}

// SHA-256 keeps its bit count in two halves. The second half starts at 2^29 bytes.
TEST_P(DigesterOfAlgorithmTest, RestoresLengthsBeyondHalfAGigabyte) {
  const std::string block = Bytes(256);
  Digester digester(GetParam());
  digester.Update(block);
  DigesterState state = digester.Save();
  for (uint64_t length : {(uint64_t{1} << 29) - 128, uint64_t{1} << 29, (uint64_t{1} << 40) + 128}) {
    state.length_bytes = length;
    ASSERT_OK_AND_ASSIGN(Digester restored, Digester::Restore(state));
    restored.Update(block);
    EXPECT_EQ(restored.length_bytes(), length + block.size());
    EXPECT_EQ(restored.Save().length_bytes, length + block.size());
  }
}

TEST_P(DigesterOfAlgorithmTest, RefusesInvalidStates) {
  Digester digester(GetParam());
  digester.Update(Bytes(200));
  const DigesterState good = digester.Save();
  ASSERT_OK(Digester::Restore(good));

  DigesterState few_words = good;
  few_words.words.pop_back();
  DigesterState many_words = good;
  many_words.words.push_back(0);
  DigesterState short_tail = good;
  short_tail.tail.pop_back();
  DigesterState block_long_tail = good;
  block_long_tail.tail.append(GetParam() == kSha256 ? 64 : 128, 'x');
  DigesterState other_length = good;
  ++other_length.length_bytes;
  DigesterState huge = good;
  huge.length_bytes += uint64_t{1} << 61;
  DigesterState no_block_but_words = good;
  no_block_but_words.length_bytes = good.tail.size();
  DigesterState nothing;
  nothing.algorithm = GetParam();
  for (const DigesterState& bad :
       {few_words, many_words, short_tail, block_long_tail, other_length, huge, no_block_but_words, nothing}) {
    EXPECT_THAT(Digester::Restore(bad), StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

TEST(DigesterTest, RefusesSha256WordsOfMoreThan32Bits) {
  Digester digester(kSha256);
  digester.Update(Bytes(64));
  DigesterState state = digester.Save();
  state.words[3] |= uint64_t{1} << 32;
  EXPECT_THAT(Digester::Restore(state), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace entrepot
