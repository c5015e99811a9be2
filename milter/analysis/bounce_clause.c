/*
 * bounce_clause.c - what a clause says of whom: "mailbox" and "is not known"
 *
 * The phrases of bounce_reasons.c are what mailers are known to write. Nobody
 * knows all of them, least of all in every language; but nearly all say one of
 * a few things of one of a few: that a mailbox is absent, closed or full, that
 * a domain is absent, that a sender, a host or a message is refused. So where
 * no phrase decides, words for those who are spoken of (nouns) and words for
 * what is said (predicates) are looked for apart, and each predicate is taken
 * with the nearest noun of its clause. Stems serve for all endings.
 *
 * This reads only what stands near a failed address, never whole messages: in
 * what people write such words are everywhere. "May", "if" and "please check"
 * before a predicate make it vague.
 */
#include "analysis/bounce_internal.h"

#include <string.h>

enum {
    READ_MAX = 500, /* of one stretch of evidence */
    APART_MAX = 90, /* bytes between noun and predicate */
    HITS_MAX = 96,
    ADJACENT_MAX = 4 /* "sender's mailbox" */
};

typedef enum {
    /* nouns */
    BOX,     /* mailbox, account */
    USER,    /* user, recipient, address */
    DOMAIN,  /* domain, its mail servers */
    SENDER,  /* who sent it, and what is his */
    HOST,    /* a host, an IP address, a connection */
    MESSAGE, /* the mail itself: that it was refused says nothing */
    CONTENT, /* an attachment, what it says */
    STORE,   /* space, quota */
    RATE,    /* what is counted by the hour */
    NOUN_N,
    /* predicates */
    ABSENT = NOUN_N, /* is unknown, there is none */
    GONE,            /* has been deleted */
    CLOSED,          /* is disabled */
    BLOCKED,         /* is blocked: an account, or our host */
    LEFT,            /* no longer works here */
    FULL,
    LARGE,
    REFUSED, /* is not allowed */
    WORD_N,
    EXIST = WORD_N, /* with NOT somewhere in the clause it is ABSENT */
    DELIVER,        /* forms of it, in any language */
    NOT,
    HEDGE, /* what follows is only supposed */
    MASK   /* parts of it mean nothing */
} Word;

/* What each predicate makes of each noun; 0: nothing. */
static const uint8_t meaning[WORD_N - NOUN_N][NOUN_N] = {
    [ABSENT - NOUN_N] = { [BOX] = REASON_USERUNKNOWN,
                          [USER] = REASON_USERUNKNOWN,
                          [DOMAIN] = REASON_HOSTUNKNOWN,
                          [SENDER] = REASON_REJECTED },
    [GONE -
        NOUN_N] = { [BOX] = REASON_USERUNKNOWN, [USER] = REASON_USERUNKNOWN },
    [CLOSED - NOUN_N] = { [BOX] = REASON_SUSPEND,
                          [USER] = REASON_SUSPEND,
                          [DOMAIN] = REASON_SUSPEND,
                          [SENDER] = REASON_REJECTED },
    [BLOCKED - NOUN_N] = { [BOX] = REASON_SUSPEND,
                           [SENDER] = REASON_REJECTED,
                           [HOST] = REASON_BLOCKED,
                           [CONTENT] = REASON_POLICY },
    [LEFT - NOUN_N] = { [BOX] = REASON_HASMOVED, [USER] = REASON_HASMOVED },
    [FULL - NOUN_N] = { [BOX] = REASON_MAILBOXFULL,
                        [USER] = REASON_MAILBOXFULL,
                        [SENDER] = REASON_RATELIMIT,
                        [MESSAGE] = REASON_SIZE,
                        [CONTENT] = REASON_SIZE,
                        [STORE] = REASON_MAILBOXFULL,
                        [RATE] = REASON_RATELIMIT },
    [LARGE - NOUN_N] = { [BOX] = REASON_SIZE,
                         [USER] = REASON_SIZE,
                         [DOMAIN] = REASON_SIZE,
                         [SENDER] = REASON_SIZE,
                         [HOST] = REASON_SIZE,
                         [MESSAGE] = REASON_SIZE,
                         [CONTENT] = REASON_SIZE,
                         [STORE] = REASON_SIZE,
                         [RATE] = REASON_SIZE },
    [REFUSED - NOUN_N] = { [SENDER] = REASON_REJECTED,
                           [HOST] = REASON_BLOCKED,
                           [CONTENT] = REASON_POLICY },
};

/* clang-format off */
static const Phrase words[] = {
    /* --- mailboxes and accounts --- */
    { "mailbox", BOX, 3, "English, German, Dutch" },
    { "mail box", BOX, 3, "English" },
    { "inbox", BOX, 3, "English" },
    { " box ", BOX, 3, "English" },
    { "account", BOX, 3, "English, German, Italian, Dutch" },
    { "alias", BOX, 3, "English" },
    { "postfach", BOX, 3, "German" },
    { "konto", BOX, 3, "German, Polish, Swedish, Danish, Norwegian" },
    { "boite", BOX, 3, "French" },
    { "boîte", BOX, 3, "French" },
    { "compte", BOX, 3, "French" },
    { "messagerie", BOX, 3, "French" },
    { "buzón", BOX, 3, "Spanish" },
    { "cuenta", BOX, 3, "Spanish" },
    { "bandeja", BOX, 3, "Spanish" },
    { "casella", BOX, 3, "Italian" },
    { "casilla", BOX, 3, "Spanish, America" },
    { "conta ", BOX, 3, "Portuguese" },
    { "caixa", BOX, 3, "Portuguese" },
    { "postbus", BOX, 3, "Dutch" },
    { "postvak", BOX, 3, "Dutch" },
    { "skrzynk", BOX, 3, "Polish" },
    { "schránk", BOX, 3, "Czech, Slovak" },
    { "účet", BOX, 3, "Czech, Slovak" },
    { "fiók", BOX, 3, "Hungarian" },
    { "căsuț", BOX, 3, "Romanian" },
    { " cont ", BOX, 3, "Romanian" },
    { "contul", BOX, 3, "Romanian" },
    { "brevlåd", BOX, 3, "Swedish" },
    { "postlåd", BOX, 3, "Swedish" },
    { "inkorg", BOX, 3, "Swedish" },
    { "postkasse", BOX, 3, "Danish, Norwegian" },
    { "indbakke", BOX, 3, "Danish" },
    { "postboks", BOX, 3, "Norwegian" },
    { "innboks", BOX, 3, "Norwegian" },
    { "postilaatik", BOX, 3, "Finnish" },
    { " tili", BOX, 3, "Finnish" },
    { "posta kutu", BOX, 3, "Turkish" },
    { "hesap", BOX, 3, "Turkish" },
    { "hesab", BOX, 3, "Turkish" },
    { "γραμματοκιβώτιο", BOX, 3, "Greek" },
    { "λογαριασμ", BOX, 3, "Greek" },
    { "ящик", BOX, 3, "Russian" },
    { "аккаунт", BOX, 3, "Russian" },
    { "учетная запись", BOX, 3, "Russian" },
    { "учётная запись", BOX, 3, "Russian" },
    { "скриньк", BOX, 3, "Ukrainian" },
    { "кутия", BOX, 3, "Bulgarian" },
    { "sandučić", BOX, 3, "Croatian, Serbian" },
    { "сандуч", BOX, 3, "Serbian" },
    { "nabiralnik", BOX, 3, "Slovene" },
    { "dėžut", BOX, 3, "Lithuanian" },
    { "pastkast", BOX, 3, "Latvian" },
    { "postkast", BOX, 3, "Estonian" },
    { "bústia", BOX, 3, "Catalan" },
    { "メールボックス", BOX, 3, "Japanese" },
    { "アカウント", BOX, 3, "Japanese" },
    { "邮箱", BOX, 3, "Chinese" },
    { "郵箱", BOX, 3, "Chinese" },
    { "信箱", BOX, 3, "Chinese" },
    { "帐号", BOX, 3, "Chinese" },
    { "账号", BOX, 3, "Chinese" },
    { "账户", BOX, 3, "Chinese" },
    { "帳號", BOX, 3, "Chinese" },
    { "帳戶", BOX, 3, "Chinese" },
    { "계정", BOX, 3, "Korean" },
    { "메일함", BOX, 3, "Korean" },
    { "편지함", BOX, 3, "Korean" },
    { "사서함", BOX, 3, "Korean" },
    { "บัญชี", BOX, 3, "Thai" },
    { "กล่องจดหมาย", BOX, 3, "Thai" },
    { "hộp thư", BOX, 3, "Vietnamese" },
    { "tài khoản", BOX, 3, "Vietnamese" },
    { "kotak", BOX, 3, "Indonesian" },
    { "akun", BOX, 3, "Indonesian" },
    { "תיבת", BOX, 3, "Hebrew" },
    { "תיבה", BOX, 3, "Hebrew" },
    { "חשבון", BOX, 3, "Hebrew" },
    { "صندوق", BOX, 3, "Arabic, Persian" },
    { "حساب", BOX, 3, "Arabic, Persian" },

    /* --- users, recipients, addresses --- */
    { "user", USER, 3, "English" },
    { "recipient", USER, 3, "English" },
    { "addressee", USER, 3, "English" },
    { "address", USER, 3, "English" },
    { "person", USER, 3, "English" },
    { "member", USER, 3, "English" },
    { "login", USER, 3, "English" },
    { " id ", USER, 3, "English" },
    { "empfänger", USER, 3, "German" },
    { "benutzer", USER, 3, "German" },
    { "nutzer", USER, 3, "German" },
    { "adresse", USER, 3, "German, French, Danish, Norwegian" },
    { "adressat", USER, 3, "German" },
    { "utilisateur", USER, 3, "French" },
    { "destinataire", USER, 3, "French" },
    { "usuari", USER, 3, "Spanish, Portuguese, Catalan" },
    { "usuário", USER, 3, "Portuguese" },
    { "destinatari", USER, 3, "Spanish, Italian, Catalan" },
    { "destinatário", USER, 3, "Portuguese" },
    { "dirección", USER, 3, "Spanish" },
    { "utent", USER, 3, "Italian" },
    { "indirizzo", USER, 3, "Italian" },
    { "utilizador", USER, 3, "Portuguese" },
    { "endereço", USER, 3, "Portuguese" },
    { "gebruiker", USER, 3, "Dutch" },
    { "ontvanger", USER, 3, "Dutch" },
    { "geadresseerde", USER, 3, "Dutch" },
    { "adres", USER, 3, "Dutch, Polish, Czech, Romanian, Turkish" },
    { "użytkownik", USER, 3, "Polish" },
    { "odbiorc", USER, 3, "Polish" },
    { "uživatel", USER, 3, "Czech" },
    { "příjemce", USER, 3, "Czech" },
    { "adresát", USER, 3, "Czech, Slovak" },
    { "používateľ", USER, 3, "Slovak" },
    { "príjemc", USER, 3, "Slovak" },
    { "felhasználó", USER, 3, "Hungarian" },
    { "címzett", USER, 3, "Hungarian" },
    { " cím", USER, 3, "Hungarian" },
    { "utilizator", USER, 3, "Romanian" },
    { "destinatar", USER, 3, "Romanian" },
    { "användar", USER, 3, "Swedish" },
    { "mottagar", USER, 3, "Swedish" },
    { "bruger", USER, 3, "Danish" },
    { "modtager", USER, 3, "Danish" },
    { "bruker", USER, 3, "Norwegian" },
    { "mottaker", USER, 3, "Norwegian" },
    { "käyttäj", USER, 3, "Finnish" },
    { "vastaanottaj", USER, 3, "Finnish" },
    { "osoite", USER, 3, "Finnish" },
    { "kullanıcı", USER, 3, "Turkish" },
    { "alıcı", USER, 3, "Turkish" },
    { "χρήστη", USER, 3, "Greek" },
    { "παραλήπτη", USER, 3, "Greek" },
    { "διεύθυνση", USER, 3, "Greek" },
    { "пользовател", USER, 3, "Russian" },
    { "получател", USER, 3, "Russian, Bulgarian" },
    { "адресат", USER, 3, "Russian" },
    { "адрес", USER, 3, "Russian, Ukrainian, Bulgarian" },
    { "абонент", USER, 3, "Russian" },
    { "користувач", USER, 3, "Ukrainian" },
    { "отримувач", USER, 3, "Ukrainian" },
    { "одержувач", USER, 3, "Ukrainian" },
    { "потребител", USER, 3, "Bulgarian" },
    { "korisnik", USER, 3, "Croatian, Serbian" },
    { "primatelj", USER, 3, "Croatian" },
    { "primalac", USER, 3, "Serbian" },
    { "корисник", USER, 3, "Serbian" },
    { "прималац", USER, 3, "Serbian" },
    { "uporabnik", USER, 3, "Slovene" },
    { "prejemnik", USER, 3, "Slovene" },
    { "naslov", USER, 3, "Slovene" },
    { "naudotoj", USER, 3, "Lithuanian" },
    { "vartotoj", USER, 3, "Lithuanian" },
    { "gavėj", USER, 3, "Lithuanian" },
    { "lietotāj", USER, 3, "Latvian" },
    { "saņēmēj", USER, 3, "Latvian" },
    { "adresāt", USER, 3, "Latvian" },
    { "kasutaja", USER, 3, "Estonian" },
    { "saaja", USER, 3, "Estonian" },
    { "aadress", USER, 3, "Estonian" },
    { "adreça", USER, 3, "Catalan" },
    { "ユーザ", USER, 3, "Japanese" },
    { "宛先", USER, 3, "Japanese" },
    { "アドレス", USER, 3, "Japanese" },
    { "受信者", USER, 3, "Japanese" },
    { "用户", USER, 3, "Chinese" },
    { "用戶", USER, 3, "Chinese" },
    { "收件人", USER, 3, "Chinese" },
    { "收件者", USER, 3, "Chinese" },
    { "使用者", USER, 3, "Chinese" },
    { "地址", USER, 3, "Chinese" },
    { "此人", USER, 3, "Chinese" },
    { "사용자", USER, 3, "Korean" },
    { "수신자", USER, 3, "Korean" },
    { "받는 사람", USER, 3, "Korean" },
    { "주소", USER, 3, "Korean" },
    { "회원", USER, 3, "Korean" },
    { "ผู้รับ", USER, 3, "Thai" },
    { "ผู้ใช้", USER, 3, "Thai" },
    { "người nhận", USER, 3, "Vietnamese" },
    { "người dùng", USER, 3, "Vietnamese" },
    { "địa chỉ", USER, 3, "Vietnamese" },
    { "pengguna", USER, 3, "Indonesian" },
    { "penerima", USER, 3, "Indonesian" },
    { "alamat", USER, 3, "Indonesian" },
    { "משתמש", USER, 3, "Hebrew" },
    { "נמען", USER, 3, "Hebrew" },
    { "כתובת", USER, 3, "Hebrew" },
    { "مستخدم", USER, 3, "Arabic" },
    { "مستلم", USER, 3, "Arabic" },
    { "عنوان", USER, 3, "Arabic" },
    { "کاربر", USER, 3, "Persian" },
    { "گیرنده", USER, 3, "Persian" },
    { "प्राप्तकर्ता", USER, 3, "Hindi" },
    { "उपयोगकर्ता", USER, 3, "Hindi" },

    /* --- domains --- */
    { "domain", DOMAIN, 3, "English, German" },
    { " mx ", DOMAIN, 3, "English" },
    { "mx record", DOMAIN, 3, "English" },
    { "mx host", DOMAIN, 3, "English" },
    { "mail exchanger", DOMAIN, 3, "English" },
    { "mail host", DOMAIN, 3, "English" },
    { "a mail server", DOMAIN, 3, "English" },
    { "hostname", DOMAIN, 3, "English" },
    { "host name", DOMAIN, 3, "English" },
    { "domäne", DOMAIN, 3, "German" },
    { "domän", DOMAIN, 3, "Swedish" },
    { "domæne", DOMAIN, 3, "Danish" },
    { "domene", DOMAIN, 3, "Norwegian" },
    { "dominio", DOMAIN, 3, "Spanish, Italian" },
    { "domínio", DOMAIN, 3, "Portuguese" },
    { "domein", DOMAIN, 3, "Dutch" },
    { "domen", DOMAIN, 3, "Polish, Croatian" },
    { "domén", DOMAIN, 3, "Czech, Slovak" },
    { "verkkotunnus", DOMAIN, 3, "Finnish" },
    { "alan adı", DOMAIN, 3, "Turkish" },
    { "домен", DOMAIN, 3, "Russian" },
    { "ドメイン", DOMAIN, 3, "Japanese" },
    { "域名", DOMAIN, 3, "Chinese" },
    { "網域", DOMAIN, 3, "Chinese" },
    { "도메인", DOMAIN, 3, "Korean" },
    { "tên miền", DOMAIN, 3, "Vietnamese" },
    { "النطاق", DOMAIN, 3, "Arabic" },

    /* --- the sender, and what is his --- */
    { "sender", SENDER, 3, "English" },
    { "sending user", SENDER, 3, "English" },
    { "originator", SENDER, 3, "English" },
    { "return address", SENDER, 3, "English" },
    { "return path", SENDER, 3, "English" },
    { "mail from", SENDER, 3, "English" },
    { "from address", SENDER, 3, "English" },
    { "from header", SENDER, 3, "English" },
    { "your account", SENDER, 3, "English" },
    { "your address", SENDER, 3, "English" },
    { "your email address", SENDER, 3, "English" },
    { "your e-mail address", SENDER, 3, "English" },
    { "your domain", SENDER, 3, "English" },
    { "your mailbox", SENDER, 3, "English" },
    { "absender", SENDER, 3, "German" },
    { "ihr konto", SENDER, 3, "German" },
    { "ihre adresse", SENDER, 3, "German" },
    { "expéditeur", SENDER, 3, "French" },
    { "votre compte", SENDER, 3, "French" },
    { "votre adresse", SENDER, 3, "French" },
    { "remitente", SENDER, 3, "Spanish" },
    { "su cuenta", SENDER, 3, "Spanish" },
    { "mittente", SENDER, 3, "Italian" },
    { "remetente", SENDER, 3, "Portuguese" },
    { "sua conta", SENDER, 3, "Portuguese" },
    { "afzender", SENDER, 3, "Dutch" },
    { "nadawc", SENDER, 3, "Polish" },
    { "odesílatel", SENDER, 3, "Czech" },
    { "odesilatel", SENDER, 3, "Czech" },
    { "odosielateľ", SENDER, 3, "Slovak" },
    { "feladó", SENDER, 3, "Hungarian" },
    { "expeditor", SENDER, 3, "Romanian" },
    { "avsändar", SENDER, 3, "Swedish" },
    { "afsender", SENDER, 3, "Danish" },
    { "avsender", SENDER, 3, "Norwegian" },
    { "lähettäj", SENDER, 3, "Finnish" },
    { "gönderen", SENDER, 3, "Turkish" },
    { "gönderici", SENDER, 3, "Turkish" },
    { "αποστολέα", SENDER, 3, "Greek" },
    { "отправител", SENDER, 3, "Russian" },
    { "відправник", SENDER, 3, "Ukrainian" },
    { "подател", SENDER, 3, "Bulgarian" },
    { "pošiljatelj", SENDER, 3, "Croatian, Slovene" },
    { "pošiljalac", SENDER, 3, "Serbian" },
    { "送信者", SENDER, 3, "Japanese" },
    { "差出人", SENDER, 3, "Japanese" },
    { "送信元", SENDER, 3, "Japanese" },
    { "发件人", SENDER, 3, "Chinese" },
    { "發件人", SENDER, 3, "Chinese" },
    { "寄件者", SENDER, 3, "Chinese" },
    { "寄件人", SENDER, 3, "Chinese" },
    { "보낸 사람", SENDER, 3, "Korean" },
    { "보낸사람", SENDER, 3, "Korean" },
    { "발신자", SENDER, 3, "Korean" },
    { "ผู้ส่ง", SENDER, 3, "Thai" },
    { "người gửi", SENDER, 3, "Vietnamese" },
    { "pengirim", SENDER, 3, "Indonesian" },
    { "השולח", SENDER, 3, "Hebrew" },
    { "المرسل", SENDER, 3, "Arabic" },
    { "فرستنده", SENDER, 3, "Persian" },

    /* --- hosts --- */
    { " ip ", HOST, 3, "all" },
    { "ip address", HOST, 3, "English" },
    { "your ip", HOST, 3, "English" },
    { "address range", HOST, 3, "English" },
    { "adresse ip", HOST, 3, "French" },
    { "dirección ip", HOST, 3, "Spanish" },
    { "indirizzo ip", HOST, 3, "Italian" },
    { "endereço ip", HOST, 3, "Portuguese" },
    { "ip-adresse", HOST, 3, "German, Danish, Norwegian" },
    { "ip-адрес", HOST, 3, "Russian" },
    { "server", HOST, 3, "English, German, Italian" },
    { "serveur", HOST, 3, "French" },
    { "servidor", HOST, 3, "Spanish, Portuguese" },
    { "сервер", HOST, 3, "Russian" },
    { " host ", HOST, 3, "English" },
    { "network", HOST, 3, "English" },
    { "connection", HOST, 3, "English" },
    { "relay", HOST, 3, "English" },
    { "您的ip", HOST, 3, "Chinese" },
    { "サーバ", HOST, 3, "Japanese" },
    { "服务器", HOST, 3, "Chinese" },
    { "서버", HOST, 3, "Korean" },

    /* --- the message --- */
    { "message", MESSAGE, 3, "English, French" },
    { "your mail ", MESSAGE, 3, "English" },
    { "the mail ", MESSAGE, 3, "English" },
    { "this mail ", MESSAGE, 3, "English" },
    { "your email ", MESSAGE, 3, "English" },
    { "attachment", CONTENT, 3, "English" },
    { "content", CONTENT, 3, "English" },
    { " file", CONTENT, 3, "English" },
    { "nachricht", MESSAGE, 3, "German" },
    { "anhang", CONTENT, 3, "German" },
    { "pièce jointe", CONTENT, 3, "French" },
    { "mensaje", MESSAGE, 3, "Spanish" },
    { "adjunto", CONTENT, 3, "Spanish" },
    { "messaggio", MESSAGE, 3, "Italian" },
    { "allegat", CONTENT, 3, "Italian" },
    { "mensagem", MESSAGE, 3, "Portuguese" },
    { "anexo", CONTENT, 3, "Portuguese" },
    { "bericht", MESSAGE, 3, "Dutch" },
    { "bijlage", CONTENT, 3, "Dutch" },
    { "wiadomo", MESSAGE, 3, "Polish" },
    { "załącznik", CONTENT, 3, "Polish" },
    { "zpráv", MESSAGE, 3, "Czech" },
    { "příloh", CONTENT, 3, "Czech" },
    { "üzenet", MESSAGE, 3, "Hungarian" },
    { "mesaj", MESSAGE, 3, "Romanian, Turkish" },
    { "meddeland", MESSAGE, 3, "Swedish" },
    { "meddelelse", MESSAGE, 3, "Danish" },
    { "melding", MESSAGE, 3, "Norwegian" },
    { "viesti", MESSAGE, 3, "Finnish" },
    { "μήνυμα", MESSAGE, 3, "Greek" },
    { "письм", MESSAGE, 3, "Russian" },
    { "сообщени", MESSAGE, 3, "Russian" },
    { "повідомленн", MESSAGE, 3, "Ukrainian" },
    { "メッセージ", MESSAGE, 3, "Japanese" },
    { "邮件", MESSAGE, 3, "Chinese" },
    { "郵件", MESSAGE, 3, "Chinese" },
    { "메시지", MESSAGE, 3, "Korean" },

    /* --- space, and what is counted --- */
    { "quota", STORE, 3, "English, German, French, Italian" },
    { "storage", STORE, 3, "English" },
    { " space", STORE, 3, "English" },
    { " limit", STORE, 3, "English, German" },
    { "message store", STORE, 3, "English" },
    { "speicher", STORE, 3, "German" },
    { "kontingent", STORE, 3, "German" },
    { "espace", STORE, 3, "French" },
    { "espacio", STORE, 3, "Spanish" },
    { "cuota", STORE, 3, "Spanish" },
    { "spazio", STORE, 3, "Italian" },
    { "espaço", STORE, 3, "Portuguese" },
    { " cota ", STORE, 3, "Portuguese" },
    { "quotum", STORE, 3, "Dutch" },
    { "miejsc", STORE, 3, "Polish" },
    { "kvót", STORE, 3, "Czech, Slovak, Hungarian" },
    { "kvot", STORE, 3, "Swedish, Danish, Norwegian, Croatian" },
    { "kota", STORE, 3, "Turkish" },
    { "квот", STORE, 3, "Russian" },
    { "место", STORE, 3, "Russian" },
    { "места", STORE, 3, "Russian" },
    { "容量", STORE, 3, "Japanese, Chinese" },
    { "配额", STORE, 3, "Chinese" },
    { "空间", STORE, 3, "Chinese" },
    { "용량", STORE, 3, "Korean" },
    { " rate", RATE, 3, "English" },
    { " sending ", RATE, 3, "English" },
    { " hour", RATE, 3, "English" },
    { "daily", RATE, 3, "English" },
    { "d'envoi", RATE, 3, "French" },
    { "de envío", RATE, 3, "Spanish" },
    { "de envio", RATE, 3, "Portuguese" },
    { "di invio", RATE, 3, "Italian" },
    { "отправк", RATE, 3, "Russian" },
    { "发送", RATE, 3, "Chinese" },

    /* --- there is no such --- */
    { "unknown", ABSENT, 3, "English" },
    { "not known", ABSENT, 3, "English" },
    { "not found", ABSENT, 3, "English" },
    { "be found", ABSENT, 3, "English: could not" },
    { "not find", ABSENT, 3, "English" },
    { "n't find", ABSENT, 3, "English" },
    { "unable to find", ABSENT, 3, "English" },
    { "failed to find", ABSENT, 3, "English" },
    { "unable to locate", ABSENT, 3, "English" },
    { "not locate", ABSENT, 3, "English" },
    { "n't locate", ABSENT, 3, "English" },
    { "be located", ABSENT, 3, "English: could not" },
    { "not exist", ABSENT, 3, "English" },
    { "n't exist", ABSENT, 3, "English" },
    { "existent", ABSENT, 3, "English, French, Romanian: non-, in-" },
    { "non-existing", ABSENT, 3, "English" },
    { "non existing", ABSENT, 3, "English" },
    { "no such", ABSENT, 3, "English" },
    { "not recogni", ABSENT, 3, "English" },
    { "n't recogni", ABSENT, 3, "English" },
    { "unrecogni", ABSENT, 3, "English" },
    { "there is no ", ABSENT, 3, "English" },
    { "there's no ", ABSENT, 3, "English" },
    { "there are no ", ABSENT, 3, "English" },
    { "have no such", ABSENT, 3, "English" },
    { "have no user", ABSENT, 3, "English" },
    { "has no such", ABSENT, 3, "English" },
    { "has no mailbox", ABSENT, 3, "English" },
    { "has no account", ABSENT, 3, "English" },
    { "has no mx", ABSENT, 3, "English" },
    { "has no mail server", ABSENT, 3, "English" },
    { "not have any mail server", ABSENT, 3, "English" },
    { "not have a mailbox", ABSENT, 3, "English" },
    { "not have an account", ABSENT, 3, "English" },
    { "have any user", ABSENT, 3, "English: do not" },
    { "have any account", ABSENT, 3, "English: do not" },
    { "no account", ABSENT, 3, "English" },
    { "no mailbox", ABSENT, 3, "English" },
    { "no local mailbox", ABSENT, 3, "English" },
    { "no user", ABSENT, 3, "English" },
    { "no alias", ABSENT, 3, "English" },
    { "no mx", ABSENT, 3, "English" },
    { "no matching", ABSENT, 3, "English" },
    { "not match", ABSENT, 3, "English" },
    { "not valid", ABSENT, 3, "English" },
    { "n't valid", ABSENT, 3, "English" },
    { "not a valid", ABSENT, 3, "English" },
    { "n't a valid", ABSENT, 3, "English" },
    { " invalid", ABSENT, 3, "English" },
    { "not here", ABSENT, 3, "English" },
    { "n't here", ABSENT, 3, "English" },
    { "not present", ABSENT, 3, "English" },
    { "not registered", ABSENT, 3, "English" },
    { "n't registered", ABSENT, 3, "English" },
    { "not appear to be registered", ABSENT, 3, "MailEnable" },
    { "not seem to be registered", ABSENT, 3, "English" },
    { "not appear to exist", ABSENT, 3, "English" },
    { "not seem to exist", ABSENT, 3, "English" },
    { "not in use", ABSENT, 3, "English" },
    { "in use anymore", ABSENT, 3, "English" },
    { "no longer in use", ABSENT, 3, "English" },
    { "no longer exist", ABSENT, 3, "English" },
    { "no longer valid", ABSENT, 3, "English" },
    { "not assigned", ABSENT, 3, "English" },
    { "unassigned", ABSENT, 3, "English" },
    { "undefined", ABSENT, 3, "English" },
    { "not listed", ABSENT, 3, "English" },
    { "not one of our", ABSENT, 3, "English" },
    { "not resolve to", ABSENT, 3, "English" },
    { "not in directory", ABSENT, 3, "English" },
    { "not in our", ABSENT, 3, "English" },
    { "nxdomain", ABSENT, 3, "DNS" },
    { "unbekannt", ABSENT, 3, "German" },
    { "nicht bekannt", ABSENT, 3, "German" },
    { "existiert nicht", ABSENT, 3, "German" },
    { "nicht existier", ABSENT, 3, "German" },
    { "existieren nicht", ABSENT, 3, "German" },
    { "nicht gefunden", ABSENT, 3, "German" },
    { "nicht vorhanden", ABSENT, 3, "German" },
    { "nicht registriert", ABSENT, 3, "German" },
    { "nicht eingerichtet", ABSENT, 3, "German" },
    { "gibt es nicht", ABSENT, 3, "German" },
    { "gibt es bei uns nicht", ABSENT, 3, "German" },
    { "gibt es kein", ABSENT, 3, "German" },
    { "kein solche", ABSENT, 3, "German" },
    { "kein postfach", ABSENT, 3, "German" },
    { "kein benutzer", ABSENT, 3, "German" },
    { "ungültig", ABSENT, 3, "German" },
    { "inconnu", ABSENT, 3, "French" },
    { "inexistant", ABSENT, 3, "French" },
    { "n'existe", ABSENT, 3, "French" },
    { "introuvable", ABSENT, 3, "French" },
    { "pas trouv", ABSENT, 3, "French" },
    { "pas été trouv", ABSENT, 3, "French" },
    { "plus valide", ABSENT, 3, "French" },
    { "pas valide", ABSENT, 3, "French" },
    { "aucun utilisateur", ABSENT, 3, "French" },
    { "aucune boîte", ABSENT, 3, "French" },
    { "aucune boite", ABSENT, 3, "French" },
    { "aucun compte", ABSENT, 3, "French" },
    { "erroné", ABSENT, 3, "French" },
    { "desconocid", ABSENT, 3, "Spanish" },
    { "inexistent", ABSENT, 3, "Spanish, Portuguese, Romanian" },
    { "no existe", ABSENT, 3, "Spanish, Catalan" },
    { "no es válid", ABSENT, 3, "Spanish" },
    { "no válid", ABSENT, 3, "Spanish" },
    { "no se encuentra", ABSENT, 3, "Spanish" },
    { "no encontrad", ABSENT, 3, "Spanish" },
    { "no se encontró", ABSENT, 3, "Spanish" },
    { "no se ha encontrado", ABSENT, 3, "Spanish" },
    { "no hemos encontrado", ABSENT, 3, "Spanish" },
    { "no ha sido encontrad", ABSENT, 3, "Spanish" },
    { "no fue encontrad", ABSENT, 3, "Spanish" },
    { "no está dada de alta", ABSENT, 3, "Spanish" },
    { "no está dado de alta", ABSENT, 3, "Spanish" },
    { "no está registrad", ABSENT, 3, "Spanish" },
    { "inválid", ABSENT, 3, "Spanish, Portuguese" },
    { "incorrect", ABSENT, 3, "English, Spanish, French" },
    { "inesistent", ABSENT, 3, "Italian" },
    { "sconosciut", ABSENT, 3, "Italian" },
    { "non esist", ABSENT, 3, "Italian" },
    { "non trovat", ABSENT, 3, "Italian" },
    { "stato trovat", ABSENT, 3, "Italian: non è" },
    { "stata trovat", ABSENT, 3, "Italian: non è" },
    { "impossibile trovare", ABSENT, 3, "Italian" },
    { "non valid", ABSENT, 3, "Italian" },
    { "non presente", ABSENT, 3, "Italian" },
    { "nessun utente", ABSENT, 3, "Italian" },
    { "nessuna casella", ABSENT, 3, "Italian" },
    { "não existe", ABSENT, 3, "Portuguese" },
    { "nenhuma conta", ABSENT, 3, "Portuguese" },
    { "nenhum usuário", ABSENT, 3, "Portuguese" },
    { "desconhecid", ABSENT, 3, "Portuguese" },
    { "não encontrad", ABSENT, 3, "Portuguese" },
    { "não foi encontrad", ABSENT, 3, "Portuguese" },
    { "não foi possível encontrar", ABSENT, 3, "Portuguese" },
    { "não localizad", ABSENT, 3, "Portuguese" },
    { "não cadastrad", ABSENT, 3, "Portuguese" },
    { "não é válid", ABSENT, 3, "Portuguese" },
    { "bestaat niet", ABSENT, 3, "Dutch" },
    { "geen mailbox", ABSENT, 3, "Dutch" },
    { "geen gebruiker", ABSENT, 3, "Dutch" },
    { "geen account", ABSENT, 3, "Dutch" },
    { "geen postvak", ABSENT, 3, "Dutch" },
    { "niet bestaa", ABSENT, 3, "Dutch" },
    { "onbekend", ABSENT, 3, "Dutch" },
    { "niet bekend", ABSENT, 3, "Dutch" },
    { "niet gevonden", ABSENT, 3, "Dutch" },
    { "ongeldig", ABSENT, 3, "Dutch" },
    { "nie istniej", ABSENT, 3, "Polish" },
    { "nieznan", ABSENT, 3, "Polish" },
    { "nie znalezion", ABSENT, 3, "Polish" },
    { "nie został znalezion", ABSENT, 3, "Polish" },
    { "nie odnalezion", ABSENT, 3, "Polish" },
    { "nie ma taki", ABSENT, 3, "Polish" },
    { "nie ma w", ABSENT, 3, "Polish" },
    { "brak taki", ABSENT, 3, "Polish" },
    { "nieprawidłow", ABSENT, 3, "Polish" },
    { "niepoprawn", ABSENT, 3, "Polish" },
    { "neexist", ABSENT, 3, "Czech, Slovak, Lithuanian" },
    { "neznám", ABSENT, 3, "Czech, Slovak" },
    { "nenalezen", ABSENT, 3, "Czech" },
    { "nebyl nalezen", ABSENT, 3, "Czech" },
    { "nebyla nalezen", ABSENT, 3, "Czech" },
    { "nenájden", ABSENT, 3, "Slovak" },
    { "nebol nájden", ABSENT, 3, "Slovak" },
    { "nebola nájden", ABSENT, 3, "Slovak" },
    { "neplatn", ABSENT, 3, "Czech, Slovak" },
    { "žádný takov", ABSENT, 3, "Czech" },
    { "nem létezik", ABSENT, 3, "Hungarian" },
    { "nem található", ABSENT, 3, "Hungarian" },
    { "ismeretlen", ABSENT, 3, "Hungarian" },
    { "nincs ilyen", ABSENT, 3, "Hungarian" },
    { "érvénytelen", ABSENT, 3, "Hungarian" },
    { "nu există", ABSENT, 3, "Romanian" },
    { "nu a fost găsit", ABSENT, 3, "Romanian" },
    { "necunoscut", ABSENT, 3, "Romanian" },
    { "finns inte", ABSENT, 3, "Swedish" },
    { "finns ingen", ABSENT, 3, "Swedish" },
    { "finns inget", ABSENT, 3, "Swedish" },
    { "existerar inte", ABSENT, 3, "Swedish" },
    { "okän", ABSENT, 3, "Swedish" },
    { "hittades inte", ABSENT, 3, "Swedish" },
    { "inte hittas", ABSENT, 3, "Swedish" },
    { "ogiltig", ABSENT, 3, "Swedish" },
    { "findes ikke", ABSENT, 3, "Danish" },
    { "findes ingen", ABSENT, 3, "Danish" },
    { "ikke fundet", ABSENT, 3, "Danish" },
    { "ikke findes", ABSENT, 3, "Danish" },
    { "ukendt", ABSENT, 3, "Danish" },
    { "eksisterer ikke", ABSENT, 3, "Danish, Norwegian" },
    { "ugyldig", ABSENT, 3, "Danish, Norwegian" },
    { "finnes ikke", ABSENT, 3, "Norwegian" },
    { "finnes ingen", ABSENT, 3, "Norwegian" },
    { "ikke funnet", ABSENT, 3, "Norwegian" },
    { "ukjent", ABSENT, 3, "Norwegian" },
    { "ei löyd", ABSENT, 3, "Finnish" },
    { "ei löytyn", ABSENT, 3, "Finnish" },
    { " ei ole ", ABSENT, 3, "Finnish" },
    { " ei ole.", ABSENT, 3, "Finnish" },
    { "tuntematon", ABSENT, 3, "Finnish" },
    { "virheellinen", ABSENT, 3, "Finnish" },
    { "bulunama", ABSENT, 3, "Turkish" },
    { "bulunmu", ABSENT, 3, "Turkish" },
    { "bilinmeyen", ABSENT, 3, "Turkish" },
    { "mevcut değil", ABSENT, 3, "Turkish" },
    { "geçersiz", ABSENT, 3, "Turkish" },
    { " yok", ABSENT, 3, "Turkish" },
    { "δεν βρέθηκε", ABSENT, 3, "Greek" },
    { "δεν υπάρχει", ABSENT, 3, "Greek" },
    { "άγνωστ", ABSENT, 3, "Greek" },
    { "ανύπαρκτ", ABSENT, 3, "Greek" },
    { "не существует", ABSENT, 3, "Russian" },
    { "несуществующ", ABSENT, 3, "Russian" },
    { "не найден", ABSENT, 3, "Russian" },
    { "не обнаружен", ABSENT, 3, "Russian" },
    { "не зарегистрирован", ABSENT, 3, "Russian" },
    { "неизвест", ABSENT, 3, "Russian, Bulgarian" },
    { "неверн", ABSENT, 3, "Russian" },
    { "нет так", ABSENT, 3, "Russian" },
    { "отсутствует", ABSENT, 3, "Russian" },
    { "недействител", ABSENT, 3, "Russian" },
    { "не існує", ABSENT, 3, "Ukrainian" },
    { "не знайден", ABSENT, 3, "Ukrainian" },
    { "невідом", ABSENT, 3, "Ukrainian" },
    { "немає", ABSENT, 3, "Ukrainian" },
    { "не съществува", ABSENT, 3, "Bulgarian" },
    { "няма так", ABSENT, 3, "Bulgarian" },
    { "не е намерен", ABSENT, 3, "Bulgarian" },
    { "непозна", ABSENT, 3, "Bulgarian, Serbian" },
    { "не постоји", ABSENT, 3, "Serbian" },
    { "ne postoji", ABSENT, 3, "Croatian, Serbian" },
    { "nepoznat", ABSENT, 3, "Croatian, Serbian" },
    { "nije pronađen", ABSENT, 3, "Croatian, Serbian" },
    { "ne obstaja", ABSENT, 3, "Slovene" },
    { "neznan", ABSENT, 3, "Slovene" },
    { "nerast", ABSENT, 3, "Lithuanian" },
    { "nežinom", ABSENT, 3, "Lithuanian" },
    { "neegzist", ABSENT, 3, "Lithuanian" },
    { "nav atrast", ABSENT, 3, "Latvian" },
    { "nezinām", ABSENT, 3, "Latvian" },
    { "neeksist", ABSENT, 3, "Latvian" },
    { "ei leitud", ABSENT, 3, "Estonian" },
    { "tundmatu", ABSENT, 3, "Estonian" },
    { "no s'ha trobat", ABSENT, 3, "Catalan" },
    { "desconegu", ABSENT, 3, "Catalan" },
    { "存在しな", ABSENT, 3, "Japanese" },
    { "存在しま", ABSENT, 3, "Japanese" },
    { "見つか", ABSENT, 3, "Japanese" },
    { "不明", ABSENT, 3, "Japanese" },
    { "登録されて", ABSENT, 3, "Japanese" },
    { "おりません", ABSENT, 3, "Japanese" },
    { "不存在", ABSENT, 3, "Chinese" },
    { "未找到", ABSENT, 3, "Chinese" },
    { "找不到", ABSENT, 3, "Chinese" },
    { "无此", ABSENT, 3, "Chinese" },
    { "無此", ABSENT, 3, "Chinese" },
    { "查无", ABSENT, 3, "Chinese" },
    { "查無", ABSENT, 3, "Chinese" },
    { "未注册", ABSENT, 3, "Chinese" },
    { "无效", ABSENT, 3, "Chinese" },
    { "無效", ABSENT, 3, "Chinese" },
    { "존재하지", ABSENT, 3, "Korean" },
    { "찾을 수 없", ABSENT, 3, "Korean" },
    { "없는", ABSENT, 3, "Korean" },
    { "없습니다", ABSENT, 3, "Korean" },
    { "ไม่พบ", ABSENT, 3, "Thai" },
    { "ไม่มี", ABSENT, 3, "Thai" },
    { "không tồn tại", ABSENT, 3, "Vietnamese" },
    { "không tìm thấy", ABSENT, 3, "Vietnamese" },
    { "không có", ABSENT, 3, "Vietnamese" },
    { "không hợp lệ", ABSENT, 3, "Vietnamese" },
    { "tidak ditemukan", ABSENT, 3, "Indonesian" },
    { "tidak ada", ABSENT, 3, "Indonesian" },
    { "tidak dikenal", ABSENT, 3, "Indonesian" },
    { "tidak terdaftar", ABSENT, 3, "Indonesian" },
    { "tidak wujud", ABSENT, 3, "Malay" },
    { "לא קיים", ABSENT, 3, "Hebrew" },
    { "לא קיימת", ABSENT, 3, "Hebrew" },
    { "אינו קיים", ABSENT, 3, "Hebrew" },
    { "אינה קיימת", ABSENT, 3, "Hebrew" },
    { "לא נמצא", ABSENT, 3, "Hebrew" },
    { "غير موجود", ABSENT, 3, "Arabic" },
    { "غير صحيح", ABSENT, 3, "Arabic" },
    { "غير معروف", ABSENT, 3, "Arabic" },
    { "لا يوجد", ABSENT, 3, "Arabic" },
    { "لم يتم العثور", ABSENT, 3, "Arabic" },
    { "یافت نشد", ABSENT, 3, "Persian" },
    { "وجود ندارد", ABSENT, 3, "Persian" },
    { "नहीं मिला", ABSENT, 3, "Hindi" },
    { "मौजूद नहीं", ABSENT, 3, "Hindi" },

    /* --- has been deleted --- */
    { "deleted", GONE, 3, "English" },
    { "removed", GONE, 3, "English" },
    { "closed down", GONE, 3, "English" },
    { "gelöscht", GONE, 3, "German" },
    { "supprimé", GONE, 3, "French" },
    { "eliminad", GONE, 3, "Spanish" },
    { "dada de baja", GONE, 3, "Spanish" },
    { "eliminat", GONE, 3, "Italian" },
    { "removid", GONE, 3, "Portuguese" },
    { "excluíd", GONE, 3, "Portuguese" },
    { "verwijderd", GONE, 3, "Dutch" },
    { "usunięt", GONE, 3, "Polish" },
    { "smazán", GONE, 3, "Czech" },
    { "törölt", GONE, 3, "Hungarian" },
    { "raderat", GONE, 3, "Swedish" },
    { "slettet", GONE, 3, "Danish, Norwegian" },
    { "poistettu", GONE, 3, "Finnish" },
    { "silinmiş", GONE, 3, "Turkish" },
    { "удален", GONE, 3, "Russian" },
    { "удалён", GONE, 3, "Russian" },
    { "видален", GONE, 3, "Ukrainian" },
    { "削除", GONE, 3, "Japanese" },
    { "退会", GONE, 3, "Japanese" },
    { "注销", GONE, 3, "Chinese" },
    { "탈퇴", GONE, 3, "Korean" },
    { "삭제", GONE, 3, "Korean" },

    /* --- is disabled --- */
    { "disabled", CLOSED, 3, "English" },
    { "deactivated", CLOSED, 3, "English" },
    { "suspended", CLOSED, 3, "English" },
    { "discontinued", CLOSED, 3, "English" },
    { "cancelled", CLOSED, 3, "English" },
    { "canceled", CLOSED, 3, "English" },
    { "closed", CLOSED, 3, "English" },
    { "terminated", CLOSED, 3, "English" },
    { "inactive", CLOSED, 3, "English" },
    { "inactivity", CLOSED, 3, "English" },
    { "not active", CLOSED, 3, "English" },
    { "n't active", CLOSED, 3, "English" },
    { "longer active", CLOSED, 3, "English" },
    { " locked", CLOSED, 3, "English" },
    { " frozen", CLOSED, 3, "English" },
    { "dormant", CLOSED, 3, "English" },
    { "has expired", CLOSED, 3, "English" },
    { "deaktiviert", CLOSED, 3, "German" },
    { "gesperrt", CLOSED, 3, "German" },
    { "stillgelegt", CLOSED, 3, "German" },
    { "geschlossen", CLOSED, 3, "German" },
    { "nicht mehr aktiv", CLOSED, 3, "German" },
    { "inaktiv", CLOSED, 3, "German, Swedish, Danish, Norwegian" },
    { "désactivé", CLOSED, 3, "French" },
    { "suspendu", CLOSED, 3, "French" },
    { "fermé", CLOSED, 3, "French" },
    { "clôturé", CLOSED, 3, "French" },
    { "inactif", CLOSED, 3, "French" },
    { "desactivad", CLOSED, 3, "Spanish" },
    { "deshabilitad", CLOSED, 3, "Spanish" },
    { "suspendid", CLOSED, 3, "Spanish" },
    { "inactiv", CLOSED, 3, "Spanish, Romanian" },
    { "cancelad", CLOSED, 3, "Spanish, Portuguese" },
    { "cerrad", CLOSED, 3, "Spanish" },
    { "disattivat", CLOSED, 3, "Italian" },
    { "disabilitat", CLOSED, 3, "Italian" },
    { "sospes", CLOSED, 3, "Italian" },
    { "chius", CLOSED, 3, "Italian" },
    { "desativad", CLOSED, 3, "Portuguese" },
    { "suspens", CLOSED, 3, "Portuguese" },
    { "inativ", CLOSED, 3, "Portuguese" },
    { "encerrad", CLOSED, 3, "Portuguese" },
    { "opgeheven", CLOSED, 3, "Dutch" },
    { "uitgeschakeld", CLOSED, 3, "Dutch" },
    { "gedeactiveerd", CLOSED, 3, "Dutch" },
    { "niet meer actief", CLOSED, 3, "Dutch" },
    { "nieaktywn", CLOSED, 3, "Polish" },
    { "wyłączon", CLOSED, 3, "Polish" },
    { "zawieszon", CLOSED, 3, "Polish" },
    { "zrušen", CLOSED, 3, "Czech, Slovak" },
    { "deaktivov", CLOSED, 3, "Czech, Slovak" },
    { "letilt", CLOSED, 3, "Hungarian" },
    { "tiltva", CLOSED, 3, "Hungarian" },
    { "megszűnt", CLOSED, 3, "Hungarian" },
    { "dezactivat", CLOSED, 3, "Romanian" },
    { "suspendat", CLOSED, 3, "Romanian" },
    { "avstäng", CLOSED, 3, "Swedish" },
    { "avslutat", CLOSED, 3, "Swedish" },
    { "lukket", CLOSED, 3, "Danish, Norwegian" },
    { "deaktivere", CLOSED, 3, "Danish, Norwegian" },
    { "suljettu", CLOSED, 3, "Finnish" },
    { "devre dışı", CLOSED, 3, "Turkish" },
    { "askıya alın", CLOSED, 3, "Turkish" },
    { "kapatıl", CLOSED, 3, "Turkish" },
    { "απενεργοποι", CLOSED, 3, "Greek" },
    { "отключен", CLOSED, 3, "Russian" },
    { "отключён", CLOSED, 3, "Russian" },
    { "закрыт", CLOSED, 3, "Russian" },
    { "приостановлен", CLOSED, 3, "Russian" },
    { "неактив", CLOSED, 3, "Russian" },
    { "вимкнен", CLOSED, 3, "Ukrainian" },
    { "無効", CLOSED, 3, "Japanese" },
    { "停止", CLOSED, 3, "Japanese" },
    { "解約", CLOSED, 3, "Japanese" },
    { "禁用", CLOSED, 3, "Chinese" },
    { "停用", CLOSED, 3, "Chinese" },
    { "冻结", CLOSED, 3, "Chinese" },
    { "凍結", CLOSED, 3, "Chinese, Japanese" },
    { "정지", CLOSED, 3, "Korean" },
    { "휴면", CLOSED, 3, "Korean" },
    { "비활성", CLOSED, 3, "Korean" },
    { "해지", CLOSED, 3, "Korean" },

    /* --- is blocked: an account, a host --- */
    { "blocked", BLOCKED, 3, "English" },
    { "blacklisted", BLOCKED, 3, "English" },
    { "blocking list", BLOCKED, 3, "English" },
    { "deny list", BLOCKED, 3, "English" },
    { "bloqué", BLOCKED, 3, "French" },
    { "bloquead", BLOCKED, 3, "Spanish, Portuguese" },
    { "bloccat", BLOCKED, 3, "Italian" },
    { "geblokkeerd", BLOCKED, 3, "Dutch" },
    { "zablokowan", BLOCKED, 3, "Polish" },
    { "zablokov", BLOCKED, 3, "Czech, Slovak" },
    { "blocat", BLOCKED, 3, "Romanian" },
    { "blockera", BLOCKED, 3, "Swedish" },
    { "spärra", BLOCKED, 3, "Swedish" },
    { "spærret", BLOCKED, 3, "Danish" },
    { "sperret", BLOCKED, 3, "Norwegian" },
    { "engellen", BLOCKED, 3, "Turkish" },
    { "заблокир", BLOCKED, 3, "Russian" },
    { "заблоков", BLOCKED, 3, "Ukrainian" },
    { "列入黑名单", BLOCKED, 3, "Chinese" },

    /* --- no longer works here --- */
    { "has left", LEFT, 3, "English" },
    { "no longer works", LEFT, 3, "English" },
    { "no longer employed", LEFT, 3, "English" },
    { "no longer at", LEFT, 3, "English" },
    { "no longer with", LEFT, 3, "English" },
    { "no longer here", LEFT, 3, "English" },
    { "gone away", LEFT, 3, "English" },
    { "moved to", LEFT, 3, "English" },
    { "relocated", LEFT, 3, "English" },
    { "unternehmen verlassen", LEFT, 3, "German" },
    { "firma verlassen", LEFT, 3, "German" },
    { "nicht mehr bei uns", LEFT, 3, "German" },
    { "nicht mehr im unternehmen", LEFT, 3, "German" },
    { "a quitté", LEFT, 3, "French" },
    { "n'est plus chez", LEFT, 3, "French" },
    { "ne travaille plus", LEFT, 3, "French" },
    { "ya no trabaja", LEFT, 3, "Spanish" },
    { "non lavora più", LEFT, 3, "Italian" },
    { "não trabalha mais", LEFT, 3, "Portuguese" },
    { "niet meer werkzaam", LEFT, 3, "Dutch" },
    { "nie pracuje", LEFT, 3, "Polish" },
    { "не работает", LEFT, 3, "Russian: больше" },
    { "退職", LEFT, 3, "Japanese" },
    { "离职", LEFT, 3, "Chinese" },
    { "퇴사", LEFT, 3, "Korean" },

    /* --- is full --- */
    { " full", FULL, 3, "English, Swedish, Norwegian" },
    { "exceeded", FULL, 3, "English" },
    { "exceeds", FULL, 3, "English" },
    { "exceeding", FULL, 3, "English" },
    { "over quota", FULL, 3, "English" },
    { "out of space", FULL, 3, "English" },
    { "out of disk", FULL, 3, "English" },
    { "no space", FULL, 3, "English" },
    { "no free space", FULL, 3, "English" },
    { "no room", FULL, 3, "English" },
    { "not enough", FULL, 3, "English" },
    { "insufficient", FULL, 3, "English, Italian" },
    { "used up", FULL, 3, "English" },
    { "overflow", FULL, 3, "English" },
    { "reached", FULL, 3, "English" },
    { "over the limit", FULL, 3, "English" },
    { "too many messages", FULL, 3, "English" },
    { " voll", FULL, 3, "German" },
    { "überfüllt", FULL, 3, "German" },
    { "überschritten", FULL, 3, "German" },
    { "größenbeschränkung", FULL, 3, "German" },
    { "erreicht", FULL, 3, "German" },
    { "kein speicher", FULL, 3, "German" },
    { "plein", FULL, 3, "French" },
    { "saturé", FULL, 3, "French" },
    { "dépassé", FULL, 3, "French" },
    { "atteint", FULL, 3, "French" },
    { "insuffisant", FULL, 3, "French" },
    { "llen", FULL, 3, "Spanish" },
    { "superad", FULL, 3, "Spanish" },
    { "excedid", FULL, 3, "Spanish, Portuguese" },
    { "insuficient", FULL, 3, "Spanish, Portuguese" },
    { "sin espacio", FULL, 3, "Spanish" },
    { "agotad", FULL, 3, "Spanish" },
    { " pien", FULL, 3, "Italian" },
    { "superat", FULL, 3, "Italian" },
    { "esaurit", FULL, 3, "Italian" },
    { "chei", FULL, 3, "Portuguese" },
    { "esgotad", FULL, 3, "Portuguese" },
    { " vol ", FULL, 3, "Dutch" },
    { "overschreden", FULL, 3, "Dutch" },
    { "pełn", FULL, 3, "Polish" },
    { "przekroczon", FULL, 3, "Polish" },
    { "przekroczył", FULL, 3, "Polish" },
    { "brak miejsca", FULL, 3, "Polish" },
    { " plná", FULL, 3, "Czech, Slovak" },
    { " plný", FULL, 3, "Czech, Slovak" },
    { "zaplněn", FULL, 3, "Czech" },
    { "přepln", FULL, 3, "Czech" },
    { "препълнен", FULL, 3, "Bulgarian" },
    { " pun", FULL, 3, "Croatian, Serbian" },
    { " poln", FULL, 3, "Slovene" },
    { "překroč", FULL, 3, "Czech" },
    { "prekroč", FULL, 3, "Slovak" },
    { "megtelt", FULL, 3, "Hungarian" },
    { "betelt", FULL, 3, "Hungarian" },
    { "túllép", FULL, 3, "Hungarian" },
    { "plină", FULL, 3, "Romanian" },
    { "depășit", FULL, 3, "Romanian" },
    { "överskrid", FULL, 3, "Swedish" },
    { " fuld", FULL, 3, "Danish" },
    { "fyldt", FULL, 3, "Danish" },
    { "overskred", FULL, 3, "Danish, Norwegian" },
    { "täynnä", FULL, 3, "Finnish" },
    { "ylitt", FULL, 3, "Finnish" },
    { " dolu", FULL, 3, "Turkish" },
    { " dolmuş", FULL, 3, "Turkish" },
    { "aşıl", FULL, 3, "Turkish" },
    { "yetersiz", FULL, 3, "Turkish" },
    { "πλήρες", FULL, 3, "Greek" },
    { "γεμάτο", FULL, 3, "Greek" },
    { "переполн", FULL, 3, "Russian" },
    { "заполнен", FULL, 3, "Russian" },
    { "превыш", FULL, 3, "Russian" },
    { "недостаточно", FULL, 3, "Russian" },
    { "переповнен", FULL, 3, "Ukrainian" },
    { "заповнен", FULL, 3, "Ukrainian" },
    { "一杯", FULL, 3, "Japanese" },
    { "いっぱい", FULL, 3, "Japanese" },
    { "満杯", FULL, 3, "Japanese" },
    { "超え", FULL, 3, "Japanese" },
    { "超過", FULL, 3, "Japanese, Chinese" },
    { "已满", FULL, 3, "Chinese" },
    { "已滿", FULL, 3, "Chinese" },
    { "超出", FULL, 3, "Chinese" },
    { "超过", FULL, 3, "Chinese" },
    { "过高", FULL, 3, "Chinese" },
    { "不足", FULL, 3, "Chinese, Japanese" },
    { "가득", FULL, 3, "Korean" },
    { "초과", FULL, 3, "Korean" },
    { "부족", FULL, 3, "Korean" },
    { "เต็ม", FULL, 3, "Thai" },
    { "đầy", FULL, 3, "Vietnamese" },
    { "penuh", FULL, 3, "Indonesian" },
    { "מלאה", FULL, 3, "Hebrew" },
    { "ممتلئ", FULL, 3, "Arabic" },

    /* --- is too large --- */
    { "too large", LARGE, 3, "English" },
    { "too big", LARGE, 3, "English" },
    { "too long", LARGE, 3, "English" },
    { "larger than", LARGE, 3, "English" },
    { "maximum permitted size", LARGE, 3, "English" },
    { "zu groß", LARGE, 3, "German" },
    { "trop gros", LARGE, 3, "French" },
    { "trop volumineux", LARGE, 3, "French" },
    { "demasiado grande", LARGE, 3, "Spanish" },
    { "troppo grande", LARGE, 3, "Italian" },
    { "muito grande", LARGE, 3, "Portuguese" },
    { "te groot", LARGE, 3, "Dutch" },
    { "za duż", LARGE, 3, "Polish" },
    { "zbyt duż", LARGE, 3, "Polish" },
    { "příliš velk", LARGE, 3, "Czech" },
    { "för stor", LARGE, 3, "Swedish" },
    { "for stor", LARGE, 3, "Danish, Norwegian" },
    { "liian suuri", LARGE, 3, "Finnish" },
    { "слишком больш", LARGE, 3, "Russian" },
    { "大きすぎ", LARGE, 3, "Japanese" },
    { "太大", LARGE, 3, "Chinese" },
    { "过大", LARGE, 3, "Chinese" },

    /* --- is not allowed --- */
    { "not allowed", REFUSED, 3, "English" },
    { "not permitted", REFUSED, 3, "English" },
    { "not authori", REFUSED, 3, "English" },
    { "not accept", REFUSED, 3, "English" },
    { "not authenticated", REFUSED, 3, "English" },
    { "be authenticated", REFUSED, 3, "English: could not" },
    { "refused", REFUSED, 3, "English" },
    { "rejected", REFUSED, 3, "English" },
    { "reject your", REFUSED, 3, "English" },
    { "denied", REFUSED, 3, "English" },
    { "forbidden", REFUSED, 3, "English" },
    { "prohibited", REFUSED, 3, "English" },
    { "restricted", REFUSED, 3, "English" },
    { "violates", REFUSED, 3, "English" },
    { "verboten", REFUSED, 3, "German" },
    { "nicht erlaubt", REFUSED, 3, "German" },
    { "nicht zugelassen", REFUSED, 3, "German" },
    { "abgelehnt", REFUSED, 3, "German" },
    { "interdit", REFUSED, 3, "French" },
    { "refusé", REFUSED, 3, "French" },
    { "no permitid", REFUSED, 3, "Spanish" },
    { "no autorizad", REFUSED, 3, "Spanish" },
    { "rechazad", REFUSED, 3, "Spanish" },
    { "non autorizzat", REFUSED, 3, "Italian" },
    { "rifiutat", REFUSED, 3, "Italian" },
    { "não autorizad", REFUSED, 3, "Portuguese" },
    { "rejeitad", REFUSED, 3, "Portuguese" },
    { "geweigerd", REFUSED, 3, "Dutch" },
    { "niet toegestaan", REFUSED, 3, "Dutch" },
    { "odrzucon", REFUSED, 3, "Polish" },
    { "odmítnut", REFUSED, 3, "Czech" },
    { "отклонен", REFUSED, 3, "Russian" },
    { "отклонён", REFUSED, 3, "Russian" },
    { "запрещен", REFUSED, 3, "Russian" },
    { "запрещён", REFUSED, 3, "Russian" },
    { "拒否", REFUSED, 3, "Japanese" },
    { "拒绝", REFUSED, 3, "Chinese" },
    { "拒絕", REFUSED, 3, "Chinese" },

    /* --- to be delivered, and not --- */
    { "deliver", DELIVER, 3, "English" },
    { "be sent", DELIVER, 3, "English" },
    { "hand your", DELIVER, 3, "English" },
    { "zugestellt", DELIVER, 3, "German" },
    { "zustell", DELIVER, 3, "German" },
    { "geliefert", DELIVER, 3, "German" },
    { "ausliefer", DELIVER, 3, "German" },
    { "übermittel", DELIVER, 3, "German" },
    { "remis", DELIVER, 3, "French" },
    { "remettre", DELIVER, 3, "French" },
    { "livr", DELIVER, 3, "French, Romanian" },
    { "distribu", DELIVER, 3, "French" },
    { "achemin", DELIVER, 3, "French" },
    { "entreg", DELIVER, 3, "Spanish, Portuguese" },
    { "consegn", DELIVER, 3, "Italian" },
    { "recapit", DELIVER, 3, "Italian" },
    { "bezorg", DELIVER, 3, "Dutch" },
    { "aflever", DELIVER, 3, "Dutch, Danish" },
    { "afgeleverd", DELIVER, 3, "Dutch" },
    { "doręcz", DELIVER, 3, "Polish" },
    { "dostarcz", DELIVER, 3, "Polish" },
    { "doruč", DELIVER, 3, "Czech, Slovak" },
    { "kézbesít", DELIVER, 3, "Hungarian" },
    { "levere", DELIVER, 3, "Swedish, Danish, Norwegian" },
    { "levert", DELIVER, 3, "Norwegian" },
    { "toimit", DELIVER, 3, "Finnish" },
    { "perille", DELIVER, 3, "Finnish" },
    { "teslim", DELIVER, 3, "Turkish" },
    { "ulaştır", DELIVER, 3, "Turkish" },
    { "παραδ", DELIVER, 3, "Greek" },
    { "παράδ", DELIVER, 3, "Greek" },
    { "достав", DELIVER, 3, "Russian, Ukrainian, Bulgarian" },
    { "isporuč", DELIVER, 3, "Croatian, Serbian" },
    { "испоруч", DELIVER, 3, "Serbian" },
    { "dostav", DELIVER, 3, "Slovene, Croatian" },
    { "pristat", DELIVER, 3, "Lithuanian" },
    { "piegād", DELIVER, 3, "Latvian" },
    { "toimeta", DELIVER, 3, "Estonian" },
    { "lliur", DELIVER, 3, "Catalan" },
    { "届け", DELIVER, 3, "Japanese" },
    { "配信", DELIVER, 3, "Japanese" },
    { "配送", DELIVER, 3, "Japanese" },
    { "送信", DELIVER, 3, "Japanese" },
    { "送达", DELIVER, 3, "Chinese" },
    { "送達", DELIVER, 3, "Chinese" },
    { "投递", DELIVER, 3, "Chinese" },
    { "投遞", DELIVER, 3, "Chinese" },
    { "传递", DELIVER, 3, "Chinese" },
    { "傳遞", DELIVER, 3, "Chinese" },
    { "寄達", DELIVER, 3, "Chinese" },
    { "전달", DELIVER, 3, "Korean" },
    { "배달", DELIVER, 3, "Korean" },
    { "발송", DELIVER, 3, "Korean" },
    { "전송", DELIVER, 3, "Korean" },
    { "ส่ง", DELIVER, 3, "Thai" },
    { "gửi", DELIVER, 3, "Vietnamese" },
    { "chuyển", DELIVER, 3, "Vietnamese" },
    { "kirim", DELIVER, 3, "Indonesian" },
    { "disampaikan", DELIVER, 3, "Indonesian" },
    { "נמסר", DELIVER, 3, "Hebrew" },
    { "למסור", DELIVER, 3, "Hebrew" },
    { "توصيل", DELIVER, 3, "Arabic" },
    { "تسليم", DELIVER, 3, "Arabic" },
    { "تحویل", DELIVER, 3, "Persian" },
    { " not ", NOT, 3, "English" },
    { "n't ", NOT, 3, "English" },
    { "cannot", NOT, 3, "English" },
    { "unable", NOT, 3, "English" },
    { " fail", NOT, 3, "English" },
    { "undeliver", NOT, 3, "English" },
    { "impossible", NOT, 3, "English, French" },
    { " nicht", NOT, 3, "German" },
    { " kein", NOT, 3, "German" },
    { "fehlgeschlagen", NOT, 3, "German" },
    { "gescheitert", NOT, 3, "German" },
    { " pas ", NOT, 3, "French" },
    { "n'a pu", NOT, 3, "French" },
    { "échec", NOT, 3, "French" },
    { "échoué", NOT, 3, "French" },
    { " no ", NOT, 3, "Spanish" },
    { "imposible", NOT, 3, "Spanish" },
    { " fall", NOT, 3, "Spanish" },
    { " non ", NOT, 3, "Italian, French" },
    { "impossibile", NOT, 3, "Italian" },
    { "mancat", NOT, 3, "Italian" },
    { " não ", NOT, 3, "Portuguese" },
    { "falh", NOT, 3, "Portuguese" },
    { " niet", NOT, 3, "Dutch" },
    { "mislukt", NOT, 3, "Dutch" },
    { " nie ", NOT, 3, "Polish" },
    { "nebyl", NOT, 3, "Czech" },
    { "nepodařilo", NOT, 3, "Czech" },
    { "nelze", NOT, 3, "Czech" },
    { "nepodarilo", NOT, 3, "Slovak" },
    { "nebol", NOT, 3, "Slovak" },
    { " nem ", NOT, 3, "Hungarian" },
    { "sikertelen", NOT, 3, "Hungarian" },
    { " nu ", NOT, 3, "Romanian" },
    { " inte", NOT, 3, "Swedish" },
    { " ej ", NOT, 3, "Swedish" },
    { "misslyck", NOT, 3, "Swedish" },
    { " ikke", NOT, 3, "Danish, Norwegian" },
    { "mislyk", NOT, 3, "Danish, Norwegian" },
    { " ei ", NOT, 3, "Finnish, Estonian" },
    { "epäonnist", NOT, 3, "Finnish" },
    { "ilemedi", NOT, 3, "Turkish" },
    { "ılamadı", NOT, 3, "Turkish" },
    { "ilemiyor", NOT, 3, "Turkish" },
    { "başarısız", NOT, 3, "Turkish" },
    { "δεν ", NOT, 3, "Greek" },
    { "αδύνατ", NOT, 3, "Greek" },
    { "απέτυχ", NOT, 3, "Greek" },
    { " не ", NOT, 3, "Russian, Ukrainian, Bulgarian" },
    { "невозможн", NOT, 3, "Russian" },
    { " nije ", NOT, 3, "Croatian, Serbian" },
    { "није", NOT, 3, "Serbian" },
    { " ni ", NOT, 3, "Slovene" },
    { "neuspje", NOT, 3, "Croatian" },
    { "nepavyko", NOT, 3, "Lithuanian" },
    { "nebuvo", NOT, 3, "Lithuanian" },
    { "neizdev", NOT, 3, "Latvian" },
    { "nevar", NOT, 3, "Latvian" },
    { "ません", NOT, 3, "Japanese" },
    { "できない", NOT, 3, "Japanese" },
    { "失敗", NOT, 3, "Japanese, Chinese" },
    { "不能", NOT, 3, "Japanese, Chinese" },
    { "未能", NOT, 3, "Chinese" },
    { "无法", NOT, 3, "Chinese" },
    { "無法", NOT, 3, "Chinese" },
    { "失败", NOT, 3, "Chinese" },
    { "못", NOT, 3, "Korean" },
    { "실패", NOT, 3, "Korean" },
    { "수 없", NOT, 3, "Korean" },
    { "ไม่", NOT, 3, "Thai" },
    { "không", NOT, 3, "Vietnamese" },
    { "tidak", NOT, 3, "Indonesian" },
    { "gagal", NOT, 3, "Indonesian" },
    { "לא ", NOT, 3, "Hebrew" },
    { "تعذر", NOT, 3, "Arabic" },
    { "لم ", NOT, 3, "Arabic" },
    { "فشل", NOT, 3, "Arabic" },
    { "نشد", NOT, 3, "Persian" },
    { " exist", EXIST, 3, "English, German, French, Spanish" },
    { "gibt es", EXIST, 3, "German" },
    { "bestaat", EXIST, 3, "Dutch" },
    { "istniej", EXIST, 3, "Polish" },
    { "существу", EXIST, 3, "Russian" },
    { "існу", EXIST, 3, "Ukrainian" },
    { "obstaja", EXIST, 3, "Slovene" },
    { "postoji", EXIST, 3, "Croatian" },

    /* --- only supposed --- */
    { " may ", HEDGE, 3, "English" },
    { " might ", HEDGE, 3, "English" },
    { " if ", HEDGE, 3, "English" },
    { " whether ", HEDGE, 3, "English" },
    { " possibl", HEDGE, 3, "English" },
    { "check that", HEDGE, 3, "English" },
    { "check the", HEDGE, 3, "English" },
    { " falls ", HEDGE, 3, "German" },
    { " ob ", HEDGE, 3, "German" },
    { "möglicherweise", HEDGE, 3, "German" },
    { "vielleicht", HEDGE, 3, "German" },
    { "peut-être", HEDGE, 3, "French" },
    { "vérifie", HEDGE, 3, "French" },
    { "compruebe", HEDGE, 3, "Spanish" },
    { "verifique", HEDGE, 3, "Spanish, Portuguese" },
    { "puede que", HEDGE, 3, "Spanish" },
    { "controllare", HEDGE, 3, "Italian" },
    { "verificare", HEDGE, 3, "Italian" },
    { "controleer", HEDGE, 3, "Dutch" },
    { "sprawdź", HEDGE, 3, "Polish" },
    { "zkontrolujte", HEDGE, 3, "Czech" },
    { "проверьте", HEDGE, 3, "Russian" },
    { "возможно", HEDGE, 3, "Russian" },
    { "可能", HEDGE, 3, "Chinese" },
    { "请检查", HEDGE, 3, "Chinese" },
    { "可能性", HEDGE, 3, "Japanese" },

    /* --- parts of these mean nothing --- */
    { "user-defined", MASK, 3, "a rule" },
    { "return to sender", MASK, 3, "what is done with the mail" },
    { "returned to sender", MASK, 3, "what is done with the mail" },
    { "returned to the sender", MASK, 3, "what is done with the mail" },
    { "to sender", MASK, 3, "what is done with the mail" },
    { "unknown reason", MASK, 3, "of nobody" },
    { "unknown error", MASK, 3, "of nobody" },
    { "unknown address error", MASK, 3, "Cisco ESA: its words for x.1.0" },
    { "invalid command", MASK, 3, "of the protocol" },
    { "no such file", MASK, 3, "errno ENOENT" },
    { NULL, 0, 0, NULL },
};
/* clang-format on */

PhraseSet *
clause_words_new(void)
{
    static const Phrase *const tables[] = { words };
    return phrase_set_new(tables, G_N_ELEMENTS(tables));
}

typedef struct {
    Word word;
    size_t start, end;
} Found;

/* Where the clause ends that `at` is in. */
static size_t
clause_end(const char *text, size_t at, size_t end)
{
    for (; at < end; at++) {
        switch (text[at]) {
        case '.':
        case '!':
        case '?':
            if (at + 1 >= end || g_ascii_isspace(text[at + 1]))
                return at + 1;
            break;
        case ';':
            return at + 1;
        case '\n':
            if (at + 1 < end && text[at + 1] == '\n')
                return at + 1;
            break;
        case '\xe3': /* the full stop of Chinese and Japanese */
            if (end - at >= 3 && memcmp(text + at, "\xe3\x80\x82", 3) == 0)
                return at + 3;
            break;
        default:
            break;
        }
    }
    return end;
}

/* Part of a longer word of the list; but "mailbox" in "no mailbox" is a noun. */
static bool
is_only_part(const PhraseHit *hit)
{
    if (hit->within == NULL)
        return false;
    bool in_predicate =
        hit->within->kind >= NOUN_N && hit->within->kind < HEDGE;
    return hit->phrase->kind > DOMAIN || !in_predicate;
}

/* Words of the stretch, and addresses as USER, in the order of their ends. */
static size_t
find_words(const PhraseSet *set, const char *text, Span span, Found *out)
{
    PhraseHit hits[HITS_MAX];
    size_t n_hits = phrase_set_scan(set, text + span.start,
                                    span.end - span.start, hits, HITS_MAX);
    size_t n = 0, at = span.start;
    Span address = { 0, 0 };
    for (size_t i = 0; i <= n_hits && n < HITS_MAX; i++) {
        size_t end = i < n_hits ? span.start + hits[i].end : span.end;
        for (const char *p;
             at < end && (p = memchr(text + at, '@', end - at)) != NULL;) {
            size_t here = (size_t) (p - text);
            at = here + 1;
            if (!text_address_at(text, span.end, here, &address))
                continue;
            at = MAX(at, address.end);
            /* what its parts mean is nothing */
            while (n > 0 && out[n - 1].end > address.start)
                n--;
            if (n < HITS_MAX)
                out[n++] = (Found){ USER, address.start, address.end };
        }
        if (i == n_hits || n == HITS_MAX || is_only_part(&hits[i]))
            continue;
        size_t len = strlen(hits[i].phrase->text);
        size_t start = end - MIN(end - span.start, len);
        if (start < end && g_ascii_isspace(text[start]))
            start++;
        if (start < address.end || bounce_is_in_name(text, span, start, end))
            continue;
        out[n++] = (Found){ (Word) hits[i].phrase->kind, start, end };
    }
    return n;
}

static size_t
apart(const Found *a, const Found *b)
{
    return a->start >= b->end   ? a->start - b->end
           : b->start >= a->end ? b->start - a->end
                                : 0;
}

/* "sender's mailbox", "sender <a@b>", "Absenderadresse": the sender right
 * before it, with nothing but a genitive or a bracket between. */
static bool
belongs_to_sender(const char *text, const Found *list, size_t n,
                  const Found *noun)
{
    for (size_t i = 0; i < n; i++) {
        const Found *s = &list[i];
        if (s->word != SENDER || s->end > noun->start + 1 ||
            noun->start - MIN(noun->start, s->end) > ADJACENT_MAX)
            continue;
        size_t k = s->end;
        while (k < noun->start && strchr("'s <n", text[k]) != NULL)
            k++;
        if (k >= noun->start)
            return true;
    }
    return false;
}

/* The noun that is spoken of in [from, to), nearest to `what`. */
static const Found *
nearest_noun(const Found *list, size_t n, const Found *what, size_t from,
             size_t to)
{
    const Found *best = NULL;
    for (size_t i = 0; i < n; i++) {
        const Found *f = &list[i];
        if (f->word >= NOUN_N || f->start < from || f->end > to + 1 ||
            apart(f, what) > APART_MAX)
            continue;
        if (best == NULL || apart(f, what) < apart(best, what))
            best = f;
    }
    return best;
}

static bool
has_word(const Found *list, size_t n, Word word, size_t from, size_t to)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].word == word && list[i].start >= from && list[i].end <= to)
            return true;
    return false;
}

bool
clause_read(const PhraseSet *set, const char *text, Span span,
            ClauseFinding *out)
{
    Found list[HITS_MAX];
    span.end = MIN(span.end, span.start + READ_MAX);
    size_t n = find_words(set, text, span, list);
    bool found = false;
    for (size_t from = span.start; from < span.end;) {
        size_t to = clause_end(text, from, span.end);
        for (size_t i = 0; i < n; i++) {
            const Found *what = &list[i];
            Word says = what->word;
            if (what->start < from || what->end > to + 1)
                continue;
            if (says == EXIST && has_word(list, n, NOT, from, to + 1))
                says = ABSENT;
            if (says < NOUN_N || says >= WORD_N)
                continue;
            const Found *noun = nearest_noun(list, n, what, from, to);
            if ((noun == NULL && says != LEFT) ||
                (says == GONE && has_word(list, n, MESSAGE, from, to)))
                continue;
            Word of = noun != NULL ? noun->word : USER; /* "no longer here" */
            if (of <= DOMAIN && noun != NULL &&
                belongs_to_sender(text, list, n, noun))
                of = SENDER;
            Reason reason = (Reason) meaning[says - NOUN_N][of];
            if (reason == REASON_DELAYED)
                continue;
            int strength =
                has_word(list, n, HEDGE, from, what->start + 1) ? 1 : 2;
            if (!found || strength > out->strength ||
                (strength == out->strength && reason < out->reason))
                *out = (ClauseFinding){ reason, strength, what->start };
            found = true;
        }
        from = to;
    }
    return found;
}

bool
clause_is_of_sender(const PhraseSet *set, const char *text, Span span,
                    size_t start, size_t end)
{
    span.start = MAX(span.start, start - MIN(start, (size_t) APART_MAX));
    span.end = MIN(span.end, end + APART_MAX);
    Found list[HITS_MAX];
    size_t n = find_words(set, text, span, list);
    size_t from = span.start, to = clause_end(text, from, span.end);
    while (to <= start && to < span.end) {
        from = to;
        to = clause_end(text, from, span.end);
    }
    Found what = { ABSENT, start, end };
    const Found *noun = nearest_noun(list, n, &what, from, to);
    return noun != NULL &&
           (noun->word == SENDER ||
            (noun->word <= DOMAIN && belongs_to_sender(text, list, n, noun)));
}

bool
clause_undelivered(const PhraseSet *set, const char *text, size_t len)
{
    PhraseHit hits[HITS_MAX];
    len = MIN(len, 2 * READ_MAX);
    size_t n = phrase_set_scan(set, text, len, hits, HITS_MAX);
    for (size_t i = 0; i < n; i++) {
        if (hits[i].phrase->kind != DELIVER)
            continue;
        for (size_t k = 0; k < n; k++) {
            size_t first = MIN(hits[i].end, hits[k].end);
            size_t last = MAX(hits[i].end, hits[k].end);
            if (hits[k].phrase->kind == NOT && last - first <= APART_MAX &&
                clause_end(text, first, len) + 1 >= last)
                return true;
        }
    }
    return false;
}
