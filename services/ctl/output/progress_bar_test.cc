#include "services/ctl/output/progress_bar.h"

#include "gtest/gtest.h"

namespace entrepot::ctl {
namespace {

TEST(ProgressBarTest, ShowsTheShare) {
  EXPECT_EQ(ProgressBar(0, 0), "[>                   ]   0 %");
  EXPECT_EQ(ProgressBar(27, 100), "[=====>              ]  27 %");
  EXPECT_EQ(ProgressBar(100, 100), "[====================] 100 %");
  EXPECT_EQ(ProgressBar(200, 100), "[====================] 100 %");
}

}  // namespace
}  // namespace entrepot::ctl
