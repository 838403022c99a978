#include "gateway/http/server_fields.h"

#include <set>
#include <string>

#include "gtest/gtest.h"

namespace entrepot::gateway::http {
namespace {

TEST(HttpDateTest, HasTheFixedFormat) {
  EXPECT_EQ(FormatHttpDate(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(FormatHttpDate(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  HttpDate date;
  EXPECT_EQ(date.Now().size(), 29u);
}

TEST(RequestIdTest, AcceptsOnlyShortPlainText) {
  EXPECT_TRUE(IsRequestId("a-B_c.9"));
  EXPECT_TRUE(IsRequestId(std::string(64, 'a')));
  EXPECT_FALSE(IsRequestId(std::string(65, 'a')));
  for (const char* bad : {"", "a b", "a\"", "a\n", "\xc3\xa4", "a/b"}) EXPECT_FALSE(IsRequestId(bad)) << bad;
}

TEST(RequestIdTest, MakesDifferentIds) {
  RequestIdSource source;
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = source.Next();
    EXPECT_EQ(id.size(), 16u);
    EXPECT_TRUE(IsRequestId(id));
    ids.insert(id);
  }
  EXPECT_EQ(ids.size(), 1000u);
}

}  // namespace
}  // namespace entrepot::gateway::http
