#ifndef ENTREPOT_SERVICES_CTL_TABLE_H_
#define ENTREPOT_SERVICES_CTL_TABLE_H_

#include <string>
#include <vector>

namespace entrepot::ctl {

// Columns of text, as wide as they need to be, two blanks apart, below a line of capitals. UTF-8 counts by character;
// control characters, which could rewrite the terminal, become "?". An empty cell is "-".
class Table {
 public:
  explicit Table(std::vector<std::string> header);

  // As many cells as the header has.
  void Add(std::vector<std::string> row);

  // Each line with its newline and no blanks at its end.
  std::string ToString() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// The text without control characters, as in a table.
std::string Printable(const std::string& text);

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_TABLE_H_
