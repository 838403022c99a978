#include "services/upstream/fetch/client_counts.h"

#include <iterator>
#include <list>
#include <string>

#include "gtest/gtest.h"

namespace entrepot::upstream {
namespace {

TEST(ClientCountsTest, CountsEachClient) {
  ClientCounts counts;
  counts.Add("ada");
  counts.Add("ada");
  counts.Add("grace");
  counts.Remove("ada");
  counts.Remove("grace");
  EXPECT_EQ(counts.Of("ada"), 1u);
  EXPECT_EQ(counts.Of("grace"), 0u);
}

TEST(ClientCountsTest, TheFirstOfTheClientWithFewestRunningIsNext) {
  struct Waiting {
    std::string client;
    bool may_run = true;
  };
  ClientCounts running;
  running.Add("ada");
  running.Add("ada");
  running.Add("grace");
  std::list<Waiting> waiting = {{"ada"}, {"grace", false}, {"grace"}, {"grace"}};
  const auto may_run = [](const Waiting& one) { return one.may_run; };
  EXPECT_EQ(FirstOfFewest<Waiting>(waiting, running, may_run), std::next(waiting.begin(), 2));
  waiting.push_back({"new"});
  EXPECT_EQ(FirstOfFewest<Waiting>(waiting, running, may_run), std::prev(waiting.end()));
  for (Waiting& one : waiting) one.may_run = false;
  EXPECT_EQ(FirstOfFewest<Waiting>(waiting, running, may_run), waiting.end());
}

}  // namespace
}  // namespace entrepot::upstream
