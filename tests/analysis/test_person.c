/* test_person.c - display-names, signature names, local-parts */
#include "analysis/person.h"

#include <string.h>

typedef struct {
    const char *name, *email, *first, *last; /* first NULL: no person */
} Case;

static const Case display[] = {
    { "Jane Doe", "jane@example.org", "Jane", "Doe" },
    { "Doe, Jane", "jane@example.org", "Jane", "Doe" },
    { "Doe, Jane M.", "jane@example.org", "Jane", "Doe" },
    { "Hewitt, Gary (MKT)", "g@example.org", "Gary", "Hewitt" },
    { "McMichael Jr., Ed", "ed@example.org", "Ed", "McMichael" },
    { "Ward, Kim S (Houston)", "kim@example.org", "Kim", "Ward" },
    /* an initial that could be a particle: it read outside the name */
    { "Silva, Ana Maria e", "ana@example.org", "Ana Maria", "Silva" },
    { "Jane Doe (Acme Pty Ltd)", "jane@example.org", "Jane", "Doe" },
    { "Jane Doe | Acme", "jane@example.org", "Jane", "Doe" },
    { "Jane Doe via LinkedIn", "x@example.org", "Jane", "Doe" },
    { "Dr. Jane M. van der Berg, PhD", "j@example.org", "Jane",
      "van der Berg" },
    { "JANE DOE", "j@example.org", "Jane", "Doe" },
    { "jane doe", "j@example.org", "Jane", "Doe" },
    { "jane.doe", "jane.doe@example.org", "Jane", "Doe" },
    { "jane.doe@example.org", "jane.doe@example.org", NULL, NULL },
    { "NEWBERRY Adele", "a.n@example.org", "Adele", "Newberry" },
    { "Adele NEWBERRY", "a.n@example.org", "Adele", "Newberry" },
    { "Williams III", "w@example.org", "Williams", "" },
    { "Raharjo", "raharjo@example.id", "Raharjo", "" },
    { "Ms. Jane Doe", "j@example.org", "Jane", "Doe" },
    { "Jane Doe, CPA", "j@example.org", "Jane", "Doe" },
    { "Jane Doe MBA, CPA", "j@example.org", "Jane", "Doe" },
    { "Doe Jr, Robert", "r@example.org", "Robert", "Doe" },
    { "Maria Teresa Villaluz-Ong", "tess.v@example.ph", "Maria Teresa",
      "Villaluz-Ong" },
    { "Ximena Arriaga Santillán", "xarriaga@example.mx", "Ximena",
      "Arriaga Santillán" },
    { "Joaquín Ferrer i Campdevànol", "j@example.es", "Joaquín",
      "Ferrer i Campdevànol" },
    { "Juan Carlos Pérez Gómez", "jc@example.es", "Juan Carlos",
      "Pérez Gómez" },
    { "Joris van den Heuvel-Pronk", "joris@example.be", "Joris",
      "van den Heuvel-Pronk" },
    { "Marguerite (Margo) Delacourt", "b@example.org", "Marguerite",
      "Delacourt" },
    { "Maria \"Tess\" Villaluz", "b@example.org", "Maria", "Villaluz" },
    { "Dr.-Ing. Michael von der Heide", "m.heide@example.org", "Michael",
      "von der Heide" },
    { "Dipl.-Wirt.-Ing. Petra Kurz", "pk@example.org", "Petra", "Kurz" },
    { "Prof. Dr.-Ing. habil. Uwe Lang", "ul@example.org", "Uwe", "Lang" },
    { "M.Sc. Lena Vogt", "lv@example.org", "Lena", "Vogt" },
    { "Hans Peter von der Heide", "hp@example.org", "Hans Peter",
      "von der Heide" },
    { "Anna Kurz von der Firma Holz", "ak@example.org", "Anna", "Kurz" },
    { "María Fernanda Ruiz de la Torre", "mf.ruiz@example.org",
      "María Fernanda", "Ruiz de la Torre" },
    { "Inês Carvalho Lopes", "ines.lopes@example.org", "Inês",
      "Carvalho Lopes" },
    { "PA to J. Hargreaves", "pa.hargreaves@example.org", NULL, NULL },
    { "Executive Assistant to Mary Poll", "ea@example.org", NULL, NULL },
    { "Sekretariat von Weber", "sekr@example.org", NULL, NULL },
    { "Louise Kitchen", "l@example.org", "Louise", "Kitchen" },
    { "Wu Jiahao", "jiahao.wu@example.cn", "Jiahao", "Wu" },
    { "Jiahao Wu", "jiahao.wu@example.cn", "Jiahao", "Wu" },
    { "Nguyễn Văn An", "an@example.vn", "An", "Nguyễn" },
    { "Nguyễn Thị Thu Hà", "thuha@example.vn", "Thu Hà", "Nguyễn" },
    { "Trần Thị Mai", "mai@example.com", "Mai", "Trần" },
    { "Szűcs Boglárka", "szucs.boglarka@example.hu", "Boglárka", "Szűcs" },
    { "Boglárka Szűcs", "boglarka.szucs@example.hu", "Boglárka", "Szűcs" },
    { "Fehérvölgyi Csongor", "csongor@example.hu", "Csongor", "Fehérvölgyi" },
    { "John Smith", "john.smith@example.hu", "John", "Smith" },
    { "J.D. Pickens", "jd.pickens@example.org", "J.D.", "Pickens" },
    { "Prof. Eamon Ó Dálaigh FRSA", "e.odalaigh@example.org", "Eamon",
      "Ó Dálaigh" },
    { "Niamh O Riordan", "niamh@example.ie", "Niamh", "O Riordan" },
    { "Brian O. Keller", "b@example.org", "Brian", "Keller" },
    { "Sean Mac Carthy", "sean@example.ie", "Sean", "Mac Carthy" },
    { "Paola D' Angelo", "p@example.it", "Paola", "D' Angelo" },
    { "María del Carmen Ordóñez Vidal", "mc@example.es", "María del Carmen",
      "Ordóñez Vidal" },
    { "Juan de Dios Herrera", "j@example.mx", "Juan de Dios", "Herrera" },
    { "Maria da Conceição Lopes", "m@example.pt", "Maria da Conceição",
      "Lopes" },
    { "Ana de la Torre", "a@example.es", "Ana", "de la Torre" },
    { "Nadia Ferreira-Blunt/Oslo/Kestrel", "n@example.com", "Nadia",
      "Ferreira-Blunt" },
    { "CN=Ann Example/OU=Oslo/O=Kestrel", "a@example.com", "Ann", "Example" },
    { "Jacqui & Pete", "jp@example.com", "Jacqui", "" },
    { "Anna und Peter Berger", "b@example.de", "Anna", "Berger" },
    { "Smith & Sons", "b@example.com", NULL, NULL },
    { "이도현", "d@example.kr", "도현", "이" },
    { "남궁민수", "d@example.kr", "민수", "남궁" },
    { "吳家豪 Howard Wu", "h@example.tw", "家豪", "吳" },
    { "山田 太郎", "t@example.jp", "太郎", "山田" },
    { "山田太郎", "t@example.jp", "太郎", "山田" },
    { "佐々木健一", "t@example.jp", "健一", "佐々木" },
    { "Глеб Астахов", "a@example.ru", "Глеб", "Астахов" },
    { "Сидоров Иван Петрович", "a@example.ru", "Иван", "Сидоров" },
    { "Иванова Ольга", "a@example.ru", "Ольга", "Иванова" },
    { "Kovács Anna", "a@example.hu", "Anna", "Kovács" },
    { "Frau Dr. Ulrike Hagenbeck-Asante", "u@example.de", "Ulrike",
      "Hagenbeck-Asante" },
    { "J. R. Smith", "js@example.org", "J. R.", "Smith" },
    { "Ronan O'Brien", "r@example.ie", "Ronan", "O'Brien" },
    { "RONAN MCGRATH", "r@example.ie", "Ronan", "McGrath" },
    { "Cape Shearwater Lodge Bookings", "bookings@example.org", NULL, NULL },
    { "Enron General Announcements", "mbx@example.org", NULL, NULL },
    { "Acme Pty Ltd", "info@example.org", NULL, NULL },
    { "The Events Team", "events@example.org", NULL, NULL },
    { "Corporate Benefits@ENRON", "x@example.org", NULL, NULL },
    { "", "x@example.org", NULL, NULL },
};

static void
check(const Case *c, bool found, Person *person)
{
    if (c->first == NULL) {
        if (found) {
            g_printerr("# %s: want none, got %s|%s\n", c->name, person->first,
                       person->last);
            g_test_fail();
        }
    } else {
        if (!found || strcmp(person->first, c->first) != 0 ||
            strcmp(person->last, c->last) != 0)
            g_printerr("# %s: want %s|%s got %s|%s\n", c->name, c->first,
                       c->last, found ? person->first : "-",
                       found ? person->last : "-");
        if (!found || strcmp(person->first, c->first) != 0 ||
            strcmp(person->last, c->last) != 0)
            g_test_fail();
    }
    person_clear(person);
}

static void
test_display(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(display); i++) {
        Person person = { 0 };
        bool found =
            person_from_display(display[i].name, display[i].email, &person);
        check(&display[i], found, &person);
    }
}

static void
test_local(void)
{
    static const Case cases[] = {
        { NULL, "jane.doe@example.org", "Jane", "Doe" },
        { NULL, "doe.jane@example.org", "Jane", "Doe" },
        { NULL, "jane_doe@example.org", "Jane", "Doe" },
        { NULL, "jane.m.doe@example.org", "Jane", "Doe" },
        { NULL, "info@example.org", NULL, NULL },
        { NULL, "front.desk@example.org", NULL, NULL },
        { NULL, "jdoe@example.org", NULL, NULL },
        { NULL, "x1234@example.org", NULL, NULL },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Person person = { 0 };
        bool found = person_from_local_part(cases[i].email, &person);
        check(&cases[i], found, &person);
    }
}

static void
test_role(void)
{
    g_assert_true(person_is_role("info@example.org"));
    g_assert_true(person_is_role("bookings@example.org"));
    g_assert_true(person_is_role("Sales2@example.org"));
    g_assert_true(person_is_role("events.sydney@example.org"));
    g_assert_false(person_is_role("jane@example.org"));
    g_assert_false(person_is_role("jane.bar@example.org"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/person/display", test_display);
    g_test_add_func("/person/local-part", test_local);
    g_test_add_func("/person/role", test_role);
    return g_test_run();
}
