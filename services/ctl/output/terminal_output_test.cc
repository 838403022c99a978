#include "services/ctl/output/terminal_output.h"

#include <chrono>
#include <cstdint>

#include "entrepot/manifest/v1/maintenance.pb.h"
#include "gtest/gtest.h"

namespace entrepot::ctl {
namespace {

TEST(TerminalOutputTest, Sizes) {
  EXPECT_EQ(SizeText(0), "0 B");
  EXPECT_EQ(SizeText(1023), "1023 B");
  EXPECT_EQ(SizeText(1024), "1.0 KiB");
  EXPECT_EQ(SizeText(1536), "1.5 KiB");
  EXPECT_EQ(SizeText((1 << 20) - 1), "1.0 MiB");
  EXPECT_EQ(SizeText(uint64_t{5} << 40), "5.0 TiB");
  EXPECT_EQ(SizeText(UINT64_MAX), "16.0 EiB");
}

TEST(TerminalOutputTest, PrintableReplacesControlCharacters) {
  EXPECT_EQ(Printable("a\x1b[2J\r\nb\x7f"), "a?[2J??b?");
  EXPECT_EQ(Printable("größe 容器 🐳"), "größe 容器 🐳");
}

TEST(TerminalOutputTest, PrintableShowsCharactersThatChangeTheOrderOfText) {
  EXPECT_EQ(Printable("web\u202egnp.exe"), "web\\u{202e}gnp.exe");
  EXPECT_EQ(Printable("a\u200bb\u2066c\ufeff"), "a\\u{200b}b\\u{2066}c\\u{feff}");
  EXPECT_EQ(Printable("\u009b31m\U000e0041"), "\\u{9b}31m\\u{e0041}");
}

TEST(TerminalOutputTest, PrintableReplacesBytesThatAreNotUtf8) {
  EXPECT_EQ(Printable("a\xff\xc3"), "a??");
  EXPECT_EQ(Printable("\xe2\x80"), "??");
}

TEST(TerminalOutputTest, JsonHasAllFieldsAndEndsWithANewline) {
  manifest::v1::InvariantReport report;
  report.set_blobs(2);
  EXPECT_EQ(MessageJson(report),
            "{\n \"violations\": [],\n \"blobs\": \"2\",\n \"manifests\": \"0\",\n \"rehashedBytes\": \"0\",\n "
            "\"absent\": \"0\"\n}\n");
}

TEST(TerminalOutputTest, CountsAndTimes) {
  EXPECT_EQ(Counted(0, "blob"), "0 blobs");
  EXPECT_EQ(Counted(1, "blob"), "1 blob");
  google::protobuf::Timestamp time;
  time.set_seconds(1'700'000'000);
  EXPECT_EQ(TimeText(time), "2023-11-14 22:13:20");
}

TEST(TerminalOutputTest, ProgressIsLoggedWhereThereIsNoTerminal) {
  testing::internal::CaptureStderr();
  {
    ProgressLine line(std::chrono::milliseconds(0));
    line.ShowOrLog("[==  ]", "half way");
    line.ShowOrLog("[==  ] 2 s", "half way");
    line.ShowOrLog("[=== ]", "further");
    ProgressLine slow(std::chrono::hours(1));
    slow.ShowOrLog("[==  ]", "too early");
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "half way\nfurther\n");
}

TEST(TerminalOutputTest, ProgressGoesToTerminalsAlone) {
  testing::internal::CaptureStderr();
  {
    ProgressLine line;
    line.Show("half way");
    EXPECT_TRUE(line.Count(3, 1024));
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << "captured output is a file";
}

}  // namespace
}  // namespace entrepot::ctl
