#include "services/upstream/client/content_range.h"

#include "gtest/gtest.h"

namespace entrepot::upstream {
namespace {

void ExpectRange(absl::string_view field, std::optional<uint64_t> first, std::optional<uint64_t> last,
                 std::optional<uint64_t> size_bytes) {
  const auto range = ParseContentRange(field);
  ASSERT_TRUE(range.has_value()) << field;
  EXPECT_EQ(range->first, first) << field;
  EXPECT_EQ(range->last, last) << field;
  EXPECT_EQ(range->size_bytes, size_bytes) << field;
}

TEST(ContentRangeTest, HasTheEndsAndTheSize) {
  ExpectRange("bytes 2-6/7", 2, 6, 7);
  ExpectRange("BYTES 2-6/*", 2, 6, std::nullopt);
  ExpectRange("bytes */7", std::nullopt, std::nullopt, 7);
}

TEST(ContentRangeTest, RefusesOtherText) {
  for (const char* field :
       {"", "bytes", "bytes 2-6", "bytes 2-6/", "bytes 6-2/7", "bytes 2-7/7", "bytes -6/7", "bytes 2-/7", "bytes=2-6/7",
        "items 2-6/7", "bytes +2-6/7", "bytes 2-6/7/8", "bytes 2-99999999999999999999/*"}) {
    EXPECT_FALSE(ParseContentRange(field).has_value()) << field;
  }
}

TEST(ContentLengthTest, IsANumber) {
  EXPECT_EQ(ParseContentLength("7"), 7u);
  for (const char* field : {"", "-7", "+7", "7, 7", "99999999999999999999"}) {
    EXPECT_EQ(ParseContentLength(field), std::nullopt) << field;
  }
}

}  // namespace
}  // namespace entrepot::upstream
